#include "core/model/verify.h"

#include "core/model/generate.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

namespace lodestone::model {
namespace {

using nlohmann::json;

std::vector<Layer> allLayers(const ModelConfig& config)
{
    std::vector<Layer> layers;
    layers.reserve(static_cast<std::size_t>(config.layers()));
    for (int row = 0; row < config.layers(); ++row)
        layers.push_back(Layer::atRow(row));
    return layers;
}

/// Reads every item of the reference and gathers errors.
class ReferenceComparison {
public:
    ReferenceComparison(LanguageModel& model, Verification& result)
        : m_model(model)
        , m_result(result)
        , m_layers(allLayers(model.config()))
        , m_errors(m_layers.size())
    {
    }

    Result<void> add(const json& item, const std::string& where, const Work& work)
    {
        std::string rendered = item.value("rendered", "");
        if (item.value("kind", "") == "chat" && item.contains("input")) {
            std::vector<text::Message> messages;
            for (const json& turn : item["input"])
                messages.push_back({ turn.value("role", ""), turn.value("content", "") });
            const std::string ours = m_model.chatTemplate().prompt(messages);
            m_texts += ours != rendered;
            rendered = ours;
        }
        const auto ids = m_model.tokenizer().encode(rendered, text::Special::Parse);
        const auto expected = item.at("ids").get<std::vector<TokenId>>();
        m_tokens += ids != expected;
        Request request;
        request.tokens = expected;
        request.scored = { 1, static_cast<int>(expected.size()) };
        request.pooled = { 0, static_cast<int>(expected.size()) };
        request.last = request.logits = true;
        LODESTONE_TRY(const auto readings, m_model.read(std::span(&request, 1), m_layers, work));
        const Reading& reading = readings[0];
        const auto& nll = item.at("nll_per_token");
        if (nll.size() != reading.logProbabilities.size())
            return badInput(
                fmt::format("{} values", reading.logProbabilities.size()), fmt::format("{}", nll.size()),
                where + ", nll_per_token");
        for (std::size_t i = 0; i < nll.size(); ++i)
            logError(-reading.logProbabilities[i] - nll[i].get<double>());
        for (const json& top : item.at("last_top10"))
            logError(reading.nextLogProbabilities[top.at(0).get<Eigen::Index>()] - top.at(1).get<double>());
        const auto& norms = item.at("residual_last_norm");
        if (norms.size() != m_layers.size())
            return badInput(
                fmt::format("{} layers", m_layers.size()), fmt::format("{}", norms.size()),
                where + ", residual_last_norm");
        for (std::size_t k = 0; k < m_layers.size(); ++k) {
            const auto row = static_cast<Eigen::Index>(k);
            const double norm = norms[k].get<double>();
            m_errors[k].push_back(std::abs(reading.last.row(row).norm() - norm) / norm);
            for (const char* key : { "residual_last_first8", "residual_mean_first8" }) {
                const RowMatrix& states
                    = std::string_view(key) == "residual_last_first8" ? reading.last : reading.mean;
                const json& coordinates = item.at(key).at(k);
                for (std::size_t c = 0; c < coordinates.size(); ++c)
                    m_errors[k].push_back(
                        std::abs(states(row, static_cast<Eigen::Index>(c)) - coordinates[c].get<double>())
                        / norm);
            }
        }
        SamplingOptions greedy;
        const auto written = item.at("greedy_24").get<std::vector<TokenId>>();
        greedy.maxTokens = static_cast<int>(written.size());
        LODESTONE_TRY(const auto completion, generate(m_model, expected, 1, greedy, work));
        m_greedy += completion[0].ids != written;
        return {};
    }

    void finish()
    {
        for (std::size_t k = 0; k < m_layers.size(); ++k) {
            auto& errors = m_errors[k];
            if (errors.empty())
                continue;
            std::sort(errors.begin(), errors.end());
            m_result.layers.push_back({ m_layers[k], errors.back(), errors[errors.size() / 2] });
            m_result.maxResidualError = std::max(m_result.maxResidualError, errors.back());
        }
        const auto count = [&](const char* name, int wrong) {
            m_result.checks.push_back(
                { name, wrong == 0, static_cast<double>(wrong), 0, "items that differ" });
        };
        count("rendered conversations equal the reference", m_texts);
        count("token ids equal the reference", m_tokens);
        count("greedy ids equal the reference", m_greedy);
        m_result.checks.push_back({ "log-probabilities equal the reference",
                                    m_result.maxLogProbabilityError <= 1e-3, m_result.maxLogProbabilityError,
                                    1e-3, "largest absolute error" });
        m_result.checks.push_back({ "residual streams equal the reference", m_result.maxResidualError <= 1e-3,
                                    m_result.maxResidualError, 1e-3, "largest error over the norm" });
    }

private:
    void logError(double error)
    {
        m_result.maxLogProbabilityError = std::max(m_result.maxLogProbabilityError, std::abs(error));
    }

    LanguageModel& m_model;
    Verification& m_result;
    std::vector<Layer> m_layers;
    std::vector<std::vector<double>> m_errors;
    int m_texts = 0, m_tokens = 0, m_greedy = 0;
};

/// The largest difference of two readings, residual streams relative to the norm.
double difference(const Reading& a, const Reading& b)
{
    double largest = 0;
    for (Eigen::Index row = 0; row < a.last.rows(); ++row)
        largest = std::max<double>(
            largest, (a.last.row(row) - b.last.row(row)).norm() / std::max(1e-9f, a.last.row(row).norm()));
    if (a.nextLogProbabilities.size() > 0)
        largest = std::max<double>(
            largest, (a.nextLogProbabilities - b.nextLogProbabilities).cwiseAbs().maxCoeff());
    return largest;
}

Result<void> checkInvariants(LanguageModel& model, Verification& result, const Work& work)
{
    constexpr int followers = 7; // tokens that stand for padding
    const std::vector<Layer> layers = allLayers(model.config());
    std::vector<Request> requests;
    for (const char* sentence :
         { "The sea was calm that morning.",
           "Honest answers help, even when they are short, and nobody minds them much.", "Yes" }) {
        Request request;
        request.tokens = model.tokenizer().encode(sentence, text::Special::Plain);
        // Room for what the padding check appends, also in a model of a short context.
        const auto room = static_cast<std::size_t>(std::max(2, model.config().context - followers));
        request.tokens.resize(std::min(request.tokens.size(), room));
        request.last = request.logits = true;
        requests.push_back(std::move(request));
    }
    LODESTONE_TRY(const auto together, model.read(requests, layers, work));
    double batch = 0;
    for (std::size_t i = 0; i < requests.size(); ++i) {
        LODESTONE_TRY(const auto alone, model.read(std::span(&requests[i], 1), layers, work));
        batch = std::max(batch, difference(alone[0], together[i]));
    }
    result.checks.push_back(
        { "a batch equals single runs", batch <= 1e-3, batch, 1e-3, "largest difference" });

    double cached = 0;
    const Request& whole = requests[1];
    for (const std::size_t cut : { std::size_t(1), whole.tokens.size() / 2, whole.tokens.size() - 1 }) {
        Request first, second = whole;
        first.tokens.assign(whole.tokens.begin(), whole.tokens.begin() + static_cast<std::ptrdiff_t>(cut));
        first.keepContext = true;
        LODESTONE_TRY(const auto opened, model.read(std::span(&first, 1), {}, work));
        second.tokens.erase(second.tokens.begin(), second.tokens.begin() + static_cast<std::ptrdiff_t>(cut));
        second.past = opened[0].context;
        LODESTONE_TRY(const auto continued, model.read(std::span(&second, 1), layers, work));
        cached = std::max(cached, difference(together[1], continued[0]));
    }
    result.checks.push_back({ "cached equals uncached", cached <= 1e-3, cached, 1e-3, "largest difference" });
    // What follows a text, were it padding, must not change it.
    double padded = 0;
    for (const Request& request : requests) {
        Request brief = request, extended = request;
        brief.last = extended.last = brief.logits = extended.logits = false;
        brief.pooled = extended.pooled = { 0, static_cast<int>(request.tokens.size()) };
        for (int i = 0; i < followers; ++i)
            extended.tokens.push_back(request.tokens.front());
        LODESTONE_TRY(auto bare, model.read(std::span(&brief, 1), layers, work));
        LODESTONE_TRY(auto followed, model.read(std::span(&extended, 1), layers, work));
        bare[0].last = std::move(bare[0].mean);
        followed[0].last = std::move(followed[0].mean);
        padded = std::max(padded, difference(bare[0], followed[0]));
    }
    result.checks.push_back(
        { "padding changes nothing", padded <= 1e-3, padded, 1e-3, "largest difference" });
    const double mass = together[0].nextLogProbabilities.cast<double>().array().exp().sum();
    result.checks.push_back({ "probabilities sum to one", std::abs(mass - 1) <= 1e-4, std::abs(mass - 1),
                              1e-4, "distance from one" });
    return {};
}

} // namespace

Result<Verification>
verify(LanguageModel& model, const json* reference, const std::string& where, const Work& work)
{
    Verification result;
    if (reference) {
        ReferenceComparison comparison(model, result);
        if (!reference->is_object() || !reference->contains("items") || !(*reference)["items"].is_array())
            return badInput("an object with an array 'items'", reference->type_name(), where);
        const json& items = (*reference)["items"];
        for (std::size_t i = 0; i < items.size(); ++i) {
            const std::string place = fmt::format("{}, item {}", where, i);
            work.tell({ "Comparing with the reference", static_cast<double>(i),
                        static_cast<double>(items.size()), 0, "items", -1 });
            try {
                LODESTONE_CHECK(comparison.add(items[i], place, work));
            } catch (const json::exception& error) {
                return badInput("a reference item", error.what(), place);
            }
        }
        comparison.finish();
    }
    LODESTONE_CHECK(checkInvariants(model, result, work));
    result.ok = std::all_of(
        result.checks.begin(), result.checks.end(), [](const Check& check) { return check.ok; });
    return result;
}

} // namespace lodestone::model
