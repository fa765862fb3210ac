#include "core/torch/matrix_path.h"

#include "core/base/files.h"
#include "core/base/fingerprint.h"
#include "core/formats/lines.h"

#include <ATen/ATen.h>
#include <array>
#include <c10/core/InferenceMode.h>
#include <chrono>
#include <fmt/format.h>
#include <fstream>
#include <map>
#include <mutex>
#include <oneapi/dnnl/dnnl.hpp>
#include <unordered_map>

namespace lodestone::torch_engine {
namespace {

using Clock = std::chrono::steady_clock;

dnnl::engine& engine()
{
    static dnnl::engine cpu(dnnl::engine::kind::cpu, 0);
    return cpu;
}

/// oneDNN compiles a kernel per shape; compiled ones are shared by all layers of the same shape.
struct Compiled {
    dnnl::matmul primitive;
    dnnl::memory::desc x, y;
};

class OneDnnLinear final : public Linear {
public:
    OneDnnLinear(const RowMatrix& weights, std::vector<float> bias)
    {
        m_bias = std::move(bias);
        m_columns = weights.rows();
        m_inner = weights.cols();
        // The layout that the kernel for a typical batch likes best serves the other batch sizes too.
        const dnnl::memory::desc any(
            { m_inner, m_columns }, dnnl::memory::data_type::f32, dnnl::memory::format_tag::any);
        const auto typical = describe(128, any);
        m_packedDesc = typical.weights_desc();
        const dnnl::memory::desc plain(
            { m_inner, m_columns }, dnnl::memory::data_type::f32, dnnl::memory::format_tag::ba);
        dnnl::memory from(plain, engine(), const_cast<float*>(weights.data()));
        m_packed = dnnl::memory(m_packedDesc, engine());
        dnnl::stream stream(engine());
        dnnl::reorder(from, m_packed).execute(stream, from, m_packed);
        stream.wait();
    }

    void apply(const MapConst& x, Map y) const override
    {
        const std::int64_t rows = x.rows();
        const Compiled& compiled = forRows(rows);
        dnnl::stream stream(engine());
        dnnl::memory from(compiled.x, engine(), const_cast<float*>(x.data())),
            to(compiled.y, engine(), y.data());
        std::unordered_map<int, dnnl::memory> arguments{ { DNNL_ARG_SRC, from },
                                                         { DNNL_ARG_WEIGHTS, m_packed },
                                                         { DNNL_ARG_DST, to } };
        if (!m_bias.empty())
            arguments.emplace(
                DNNL_ARG_BIAS, dnnl::memory(biasDescription(), engine(), const_cast<float*>(m_bias.data())));
        compiled.primitive.execute(stream, arguments);
        stream.wait();
    }

private:
    dnnl::matmul::primitive_desc describe(std::int64_t rows, const dnnl::memory::desc& weights) const
    {
        using Desc = dnnl::memory::desc;
        const Desc x({ rows, m_inner }, dnnl::memory::data_type::f32, dnnl::memory::format_tag::ab);
        const Desc y({ rows, m_columns }, dnnl::memory::data_type::f32, dnnl::memory::format_tag::ab);
        if (!m_bias.empty())
            return { dnnl::matmul::desc(x, weights, biasDescription(), y), engine() };
        return { dnnl::matmul::desc(x, weights, y), engine() };
    }

    dnnl::memory::desc biasDescription() const
    {
        return { { 1, m_columns }, dnnl::memory::data_type::f32, dnnl::memory::format_tag::ab };
    }

    const Compiled& forRows(std::int64_t rows) const
    {
        static std::mutex mutex;
        static std::map<std::array<std::int64_t, 4>, Compiled> cache;
        const std::lock_guard lock(mutex);
        if (cache.size() > 4096)
            cache.clear();
        const std::array<std::int64_t, 4> key{ rows, m_inner, m_columns, !m_bias.empty() };
        auto found = cache.find(key);
        if (found == cache.end()) {
            const auto description = describe(rows, m_packedDesc);
            found = cache
                        .emplace(
                            key,
                            Compiled{ dnnl::matmul(description), description.src_desc(),
                                      description.dst_desc() })
                        .first;
        }
        return found->second;
    }

    dnnl::memory::desc m_packedDesc;
    dnnl::memory m_packed;
};

class BlasLinear final : public Linear {
public:
    BlasLinear(const RowMatrix& weights, std::vector<float> bias)
        : m_transposed(tensor(weights.data(), weights.rows(), weights.cols()).t().contiguous())
    {
        m_bias = std::move(bias);
        m_columns = weights.rows();
        m_inner = weights.cols();
    }
    void apply(const MapConst& x, Map y) const override
    {
        const c10::InferenceMode guard;
        at::Tensor out = tensor(y.data(), y.rows(), y.cols());
        const at::Tensor in = tensor(x.data(), x.rows(), x.cols());
        if (m_bias.empty())
            at::mm_out(out, in, m_transposed);
        else
            at::addmm_out(out, tensor(m_bias.data(), 1, m_columns), in, m_transposed);
    }

private:
    static at::Tensor tensor(const float* data, std::int64_t rows, std::int64_t columns)
    {
        return at::from_blob(const_cast<float*>(data), { rows, columns }, at::kFloat);
    }
    at::Tensor m_transposed;
};

/// Best of interleaved runs of both paths, so that other work on the machine disturbs them alike.
void measureShape(model::MatrixSpeed& speed)
{
    const RowMatrix x = RowMatrix::Random(speed.rows, speed.inner);
    const RowMatrix weights = RowMatrix::Random(speed.columns, speed.inner);
    const std::array<std::unique_ptr<Linear>, 2> paths{ Linear::make(MatrixPath::OneDnn, weights),
                                                        Linear::make(MatrixPath::Blas, weights) };
    std::array<double, 2> best{ 1e9, 1e9 };
    RowMatrix y(speed.rows, speed.columns);
    const auto start = Clock::now();
    for (int run = 0;
         run < 8 || (run < 200 && std::chrono::duration<double>(Clock::now() - start).count() < 0.08); ++run)
        for (std::size_t i = 0; i < 2; ++i) {
            const auto before = Clock::now();
            paths[i]->apply(view(x), view(y));
            best[i] = std::min(best[i], std::chrono::duration<double>(Clock::now() - before).count());
        }
    const double flop = 2.0 * speed.rows * speed.inner * speed.columns;
    speed.oneDnn = flop / best[0] / 1e9;
    speed.blas = flop / best[1] / 1e9;
}

/// Total time per token that the shapes imply; lower is better.
double seconds(const std::vector<model::MatrixSpeed>& speeds, double model::MatrixSpeed::*path)
{
    double total = 0;
    for (const model::MatrixSpeed& speed : speeds)
        if (speed.rows > 1)
            total += 2.0 * speed.inner * speed.columns / (speed.*path * 1e9);
    return total;
}

} // namespace

std::unique_ptr<Linear> Linear::make(MatrixPath path, const RowMatrix& weights, std::vector<float> bias)
{
    if (path == MatrixPath::OneDnn)
        return std::make_unique<OneDnnLinear>(weights, std::move(bias));
    return std::make_unique<BlasLinear>(weights, std::move(bias));
}

std::vector<model::MatrixSpeed> shapesOf(int width, int feedForward, int queryKeyValue)
{
    std::vector<model::MatrixSpeed> shapes;
    for (const int rows : { 128, 1 }) {
        shapes.push_back({ rows, width, queryKeyValue, 0, 0 });
        shapes.push_back({ rows, width, width, 0, 0 });
        shapes.push_back({ rows, width, 2 * feedForward, 0, 0 });
        shapes.push_back({ rows, feedForward, width, 0, 0 });
    }
    return shapes;
}

model::MatrixMeasurement measurePaths(const std::vector<model::MatrixSpeed>& shapes, int threads)
{
    model::MatrixMeasurement result;
    result.threads = threads;
    result.speeds = shapes;
    for (model::MatrixSpeed& speed : result.speeds)
        measureShape(speed);
    const bool oneDnn = seconds(result.speeds, &model::MatrixSpeed::oneDnn)
        <= seconds(result.speeds, &model::MatrixSpeed::blas);
    result.chosen = oneDnn ? "onednn" : "blas";
    return result;
}

PathChoice choosePath(const model::ModelConfig& config, int threads, const std::string& forced)
{
    PathChoice choice;
    if (!forced.empty()) {
        choice.path = forced == "blas" ? MatrixPath::Blas : MatrixPath::OneDnn;
        choice.description
            = fmt::format("{} (as asked, {} threads)", forced == "blas" ? "BLAS" : "oneDNN", threads);
        return choice;
    }
    const auto* version = dnnl::version();
    std::string cpu;
    std::ifstream info("/proc/cpuinfo");
    for (std::string line; std::getline(info, line);)
        if (line.rfind("model name", 0) == 0 || line.rfind("flags", 0) == 0) {
            cpu += line;
            if (line[0] == 'm')
                continue;
            break;
        }
    Fingerprint key;
    key.add(cpu)
        .add(config.width)
        .add(config.feedForward)
        .add(threads)
        .add(version->major)
        .add(version->minor);
    const std::filesystem::path file = userCacheFolder() / "matrix-path" / (key.hex() + ".json");
    if (const auto cached = formats::readJson(file); cached && cached->is_object()) {
        const std::string chosen = cached->value("chosen", "");
        if (chosen == "onednn" || chosen == "blas") {
            choice.path = chosen == "blas" ? MatrixPath::Blas : MatrixPath::OneDnn;
            choice.description = cached->value("description", chosen);
            return choice;
        }
    }
    const int qkv = (config.heads + 2 * config.kvHeads) * config.headWidth;
    const model::MatrixMeasurement measured
        = measurePaths(shapesOf(config.width, config.feedForward, qkv), threads);
    double flop = 0;
    for (const auto& speed : measured.speeds)
        if (speed.rows > 1)
            flop += 2.0 * speed.inner * speed.columns;
    const double oneDnn = flop / seconds(measured.speeds, &model::MatrixSpeed::oneDnn) / 1e9;
    const double blas = flop / seconds(measured.speeds, &model::MatrixSpeed::blas) / 1e9;
    const bool useOneDnn = measured.chosen == "onednn";
    choice.path = useOneDnn ? MatrixPath::OneDnn : MatrixPath::Blas;
    choice.description = fmt::format(
        "{} ({:.0f} against {:.0f} GFLOP/s, {} threads)", useOneDnn ? "oneDNN" : "BLAS",
        useOneDnn ? oneDnn : blas, useOneDnn ? blas : oneDnn, threads);
    std::error_code ignored;
    std::filesystem::create_directories(file.parent_path(), ignored);
    // Only a cache: a machine that cannot write it measures again next time.
    (void)writeFileAtomically(
        file, nlohmann::json{ { "chosen", measured.chosen }, { "description", choice.description } }.dump());
    return choice;
}

} // namespace lodestone::torch_engine
