#include "app/cli/context.h"
namespace lodestone::app {
void addJudgmentCommands(CLI::App&) { }
}
