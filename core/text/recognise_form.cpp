// The chat formats that are known, by the marks that only they use.
#include "core/text/chat_form.h"
#include "core/text/jinja_outputs.h"

#include <algorithm>

namespace lodestone::text {
namespace {

using Kind = JinjaPart::Kind;

bool has(std::string_view jinja, std::string_view what) { return jinja.find(what) != std::string_view::npos; }

/// BOS, where the template writes it by itself or anywhere at all.
std::string beginOf(std::string_view jinja, const std::string& bos)
{
    return has(jinja, "bos_token") ? bos : std::string();
}

/// The literal in which "<|im_start|>system", a line break and fixed words stand, without these: the system
/// turn that a template writes when a conversation does not begin with one.
std::string defaultSystem(std::string_view jinja)
{
    constexpr std::string_view opening = "<|im_start|>system";
    for (std::size_t at = jinja.find(opening); at != std::string_view::npos;
         at = jinja.find(opening, at + 1)) {
        std::size_t start = at + opening.size();
        if (jinja.substr(start, 2) == "\\n")
            start += 2;
        else if (jinja.substr(start, 1) == "\n")
            start += 1;
        else
            continue;
        const std::size_t end = jinja.find("<|im_end|>", start);
        const std::size_t quote = jinja.find_first_of("'\"", start);
        if (end != std::string_view::npos && end > start && (quote == std::string_view::npos || end < quote))
            return unescapeLiteral(jinja.substr(start, end - start));
    }
    return {};
}

/// What is written for the assistant's next turn, from the last use of add_generation_prompt on: its first
/// output, and the "<think>" that some add unless thinking is switched off.
std::string openingOf(std::string_view jinja, const std::string& usual)
{
    const std::size_t at = jinja.rfind("add_generation_prompt");
    if (at == std::string_view::npos)
        return usual;
    const std::string_view tail = jinja.substr(at);
    std::string opening = usual;
    const std::vector<JinjaOutput> outputs = jinjaOutputs(tail);
    for (std::size_t i = 0; i < outputs.size(); ++i) {
        if (outputs[i].parts.size() != 1 || outputs[i].parts[0].kind != Kind::Literal)
            continue;
        const std::string& text = outputs[i].parts[0].text;
        if (i == 0 && text.compare(0, usual.size(), usual) == 0)
            opening = text;
        if (i > 0 && text == "<think>\n"
            && has(tail.substr(outputs[i - 1].at, outputs[i].at - outputs[i - 1].at), "else %}"))
            opening = usual + text;
    }
    return opening;
}

/// SmolLM3 writes a head into every system turn; it thinks unless told otherwise.
void addSmolLm3Head(std::string_view jinja, ChatForm& form)
{
    for (const JinjaOutput& output : jinjaOutputs(jinja)) {
        if (output.says("Knowledge Cutoff Date"))
            form.systemHead += "## Metadata\n\n" + output.parts[0].text
                + "Reasoning Mode: /think\n\n## Custom Instructions\n\n";
        if (output.parts.size() == 1 && output.says("You are a helpful AI assistant named SmolLM")
            && form.defaultSystem.empty())
            form.defaultSystem = output.parts[0].text;
    }
    form.name = "SmolLM3";
    form.trimSystem = true;
    while (!form.defaultSystem.empty() && form.defaultSystem.back() == '\n')
        form.defaultSystem.pop_back();
    form.system.after = "\n\n<|im_end|>\n";
}

ChatForm chatMl(std::string_view jinja, const std::string& bos)
{
    ChatForm form;
    form.name = "ChatML";
    const std::string separator = has(jinja, "<|im_sep|>") ? "<|im_sep|>" : "\n"; // Phi-4
    const std::string end = separator == "\n" ? "<|im_end|>\n" : "<|im_end|>";
    form.user = form.system = form.assistant = { "<|im_start|>{role}" + separator, end };
    form.opening = openingOf(jinja, "<|im_start|>assistant" + separator);
    form.begin = beginOf(jinja, bos);
    if (has(jinja, "## Custom Instructions") && has(jinja, "Reasoning Mode: "))
        addSmolLm3Head(jinja, form);
    else
        form.defaultSystem = defaultSystem(jinja);
    form.trim = has(jinja, "render_content") && has(jinja, "|trim"); // Qwen3.5
    return form;
}

ChatForm llama3(std::string_view jinja, const std::string& bos)
{
    ChatForm form;
    form.name = "Llama 3";
    form.begin = beginOf(jinja, bos);
    form.user = form.system = form.assistant
        = { "<|start_header_id|>{role}<|end_header_id|>\n\n", "<|eot_id|>" };
    form.opening = "<|start_header_id|>assistant<|end_header_id|>\n\n";
    form.trim = true;
    constexpr std::string_view date = "date_string = \"";
    if (!has(jinja, "Cutting Knowledge Date: ") || !has(jinja, date))
        return form;
    const std::size_t start = jinja.find(date) + date.size();
    form.alwaysSystem = true;
    for (const JinjaOutput& output : jinjaOutputs(jinja))
        if (output.says("Cutting Knowledge Date: "))
            form.systemHead = output.parts[0].text;
    form.systemHead
        += "Today Date: " + std::string(jinja.substr(start, jinja.find('"', start) - start)) + "\n\n";
    return form;
}

ChatForm gemma(std::string_view jinja, const std::string& bos)
{
    ChatForm form;
    form.name = "Gemma";
    form.begin = beginOf(jinja, bos);
    form.user = { "<start_of_turn>user\n", "<end_of_turn>\n" };
    form.assistant = { "<start_of_turn>model\n", "<end_of_turn>\n" };
    form.opening = "<start_of_turn>model\n";
    form.systemPlace = SystemPlace::FirstUser;
    form.trim = true;
    return form;
}

ChatForm phi3(std::string_view jinja, const std::string& bos)
{
    ChatForm form;
    form.name = "Phi-3";
    form.begin = beginOf(jinja, bos);
    const bool joined = has(jinja, "'<|' + message['role'] + '|>' + message['content']"); // Phi-4 mini
    const std::string lineBreak = joined ? "" : "\n";
    form.user = form.system = form.assistant = { "<|{role}|>" + lineBreak, "<|end|>" + lineBreak };
    form.opening = "<|assistant|>" + lineBreak;
    if (!joined && !has(jinja, "<|system|>"))
        form.systemPlace = SystemPlace::Dropped;
    return form;
}

ChatForm zephyr(std::string_view jinja, const std::string& bos, const std::string& eos)
{
    ChatForm form;
    form.name = "Zephyr";
    form.begin = beginOf(jinja, bos);
    std::string after = eos + "\n", opening = "<|assistant|>\n";
    for (const JinjaOutput& output : jinjaOutputs(jinja)) {
        if (output.says("<|user|>") && output.has(Kind::Content))
            after = output.after(bos, eos);
        if (output.parts.size() == 1 && output.says("<|assistant|>"))
            opening = output.parts[0].text + (output.lineBreakAfter ? "\n" : "");
    }
    form.user = form.system = form.assistant = { "<|{role}|>\n", after };
    form.opening = opening;
    return form;
}

ChatForm llama2(const std::string& bos, const std::string& eos)
{
    ChatForm form;
    form.name = "Llama 2";
    form.user = { bos + "[INST] ", " [/INST]" };
    form.assistant = { " ", " " + eos };
    form.opening.clear();
    form.systemPlace = SystemPlace::FirstUser;
    form.systemInUser = { "<<SYS>>\n", "\n<</SYS>>\n\n" };
    form.trim = true;
    return form;
}

/// The versions differ in blanks, so the texts around each content are taken from the template itself.
ChatForm mistral(std::string_view jinja, const std::string& bos, const std::string& eos)
{
    ChatForm form;
    form.name = "Mistral";
    form.begin = beginOf(jinja, bos);
    form.user = { "[INST] ", " [/INST]" };
    form.assistant = { "", eos };
    form.opening.clear();
    form.systemPlace
        = has(jinja, "loop.last and system_message") ? SystemPlace::LastUser : SystemPlace::FirstUser;
    const std::vector<JinjaOutput> outputs = jinjaOutputs(jinja);
    const auto contents = [](const JinjaOutput& output) {
        return std::count_if(output.parts.begin(), output.parts.end(), [](const JinjaPart& part) {
            return part.kind == Kind::Content;
        });
    };
    for (const JinjaOutput& output : outputs) {
        if (output.has(Kind::Other) || contents(output) != 1)
            continue;
        const TurnForm turn{ output.before(bos, eos), output.after(bos, eos) };
        if (output.says("[INST]"))
            form.user = turn;
        else if (output.has(Kind::Eos))
            form.assistant = turn;
    }
    if (has(jinja, "[SYSTEM_PROMPT]")) {
        form.systemPlace = SystemPlace::OwnTurn;
        form.system = { "[SYSTEM_PROMPT]", "[/SYSTEM_PROMPT]" };
    }
    return form;
}

} // namespace

ChatForm recogniseForm(std::string_view jinja, const std::string& bos, const std::string& eos)
{
    if (has(jinja, "<|im_start|>"))
        return chatMl(jinja, bos);
    if (has(jinja, "<|start_header_id|>") && has(jinja, "<|eot_id|>"))
        return llama3(jinja, bos);
    if (has(jinja, "<start_of_turn>"))
        return gemma(jinja, bos);
    if (has(jinja, "<|end|>") && (has(jinja, "<|user|>") || has(jinja, "'<|' + message['role'] + '|>'")))
        return phi3(jinja, bos);
    if (has(jinja, "<|user|>") && has(jinja, "<|assistant|>") && !has(jinja, "[gMASK]"))
        return zephyr(jinja, bos, eos);
    if (has(jinja, "[INST]") && has(jinja, "<<SYS>>"))
        return llama2(bos, eos);
    if (has(jinja, "[INST]") && has(jinja, "[/INST]"))
        return mistral(jinja, bos, eos);
    if (has(jinja, "Human: ") && has(jinja, "Assistant:") && !has(jinja, "<|"))
        return {};
    ChatForm none;
    none.name.clear();
    return none;
}

} // namespace lodestone::text
