#include "app/cli/context.h"
namespace lodestone::app {
void addDirectionCommands(CLI::App&) { }
void addJudgmentCommands(CLI::App&) { }
}
