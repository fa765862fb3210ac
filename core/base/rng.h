// Random numbers that are the same on every platform and library: PCG32 and our own normal deviates.
#pragma once

#include <cmath>
#include <cstdint>
#include <numbers>
#include <utility>

namespace lodestone {

/// PCG-XSH-RR 64/32 (O'Neill 2014). Copyable, 16 bytes, reproducible bit for bit.
class Rng {
public:
    explicit Rng(std::uint64_t seed = 0, std::uint64_t stream = 0)
        : m_increment((stream << 1u) | 1u)
    {
        next();
        m_state += seed;
        next();
    }

    /// Uniform on 0 .. 2^32-1.
    std::uint32_t next()
    {
        const std::uint64_t old = m_state;
        m_state = old * 6364136223846793005ull + m_increment;
        const auto shifted = static_cast<std::uint32_t>(((old >> 18u) ^ old) >> 27u);
        const auto rotation = static_cast<std::uint32_t>(old >> 59u);
        return (shifted >> rotation) | (shifted << ((32u - rotation) & 31u));
    }

    /// Uniform on [0, 1), 53 random bits.
    double uniform()
    {
        const std::uint64_t high = next() >> 5u;
        const std::uint64_t low = next() >> 6u;
        return static_cast<double>((high << 26u) | low) * 0x1p-53;
    }

    /// Uniform on 0 .. bound-1 without modulo bias (Lemire 2019); bound >= 1.
    std::uint32_t below(std::uint32_t bound)
    {
        std::uint64_t product = static_cast<std::uint64_t>(next()) * bound;
        if (static_cast<std::uint32_t>(product) < bound) {
            const std::uint32_t threshold = (0u - bound) % bound;
            while (static_cast<std::uint32_t>(product) < threshold)
                product = static_cast<std::uint64_t>(next()) * bound;
        }
        return static_cast<std::uint32_t>(product >> 32u);
    }

    /// Standard normal deviate (Box and Muller 1958).
    double normal()
    {
        if (m_hasSpare) {
            m_hasSpare = false;
            return m_spare;
        }
        const double radius = std::sqrt(-2.0 * std::log(1.0 - uniform()));
        const double angle = 2.0 * std::numbers::pi * uniform();
        m_spare = radius * std::sin(angle);
        m_hasSpare = true;
        return radius * std::cos(angle);
    }

    /// Fisher-Yates shuffle of any random-access range.
    template <typename Range>
    void shuffle(Range& range)
    {
        for (auto i = static_cast<std::uint32_t>(range.size()); i > 1; --i)
            std::swap(range[i - 1], range[below(i)]);
    }

private:
    std::uint64_t m_state = 0;
    std::uint64_t m_increment;
    double m_spare = 0;
    bool m_hasSpare = false;
};

} // namespace lodestone
