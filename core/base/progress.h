// How long work reports where it stands and learns that it should stop.
#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>

namespace lodestone {

/// A report from running work. `done` and `total` count the same unit; total 0 means unknown.
struct Progress {
    std::string what; ///< "Reading replies"
    double done = 0;
    double total = 0;
    double perSecond = 0; ///< speed in `unit` per second; 0 when unknown
    std::string unit; ///< "tokens", "replies", "bytes"
    double secondsLeft = -1; ///< negative when unknown
};

using ProgressSink = std::function<void(const Progress&)>;

/// What every long operation takes: a way to be stopped and a place to report to. Both may be empty.
struct Work {
    std::stop_token stop{};
    ProgressSink report{};

    bool cancelled() const { return stop.stop_requested(); }
    void tell(const Progress& progress) const
    {
        if (report)
            report(progress);
    }
};

} // namespace lodestone
