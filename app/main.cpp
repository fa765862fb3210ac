// Decides between the command line and the window.
#include "app/cli/context.h"
#include "app/cli/study_access.h"

#ifdef LODESTONE_GUI
#include "ui/shell/application.h"
#endif

#include <cstdio>

namespace {

/// Every unit is built for x86-64-v3; an older processor would stop with an illegal instruction and no
/// explanation.
bool processorIsEnough()
{
#if defined(LODESTONE_X86_64_V3) && defined(__GNUC__)
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2");
#else
    return true;
#endif
}

} // namespace

int main(int argc, char** argv)
{
    if (!processorIsEnough()) {
        std::fputs(
            "lodestone: this build needs a processor with AVX2, FMA and BMI2 (x86-64-v3); configure with "
            "-DLODESTONE_BASELINE=ON for older ones.\n",
            stderr);
        return 1;
    }
    if (lodestone::app::isCommandLine(argc, argv))
        return lodestone::app::runCommandLine(argc, argv);
#ifdef LODESTONE_GUI
    return lodestone::ui::runApplication(argc, argv, lodestone::app::resourcesFolder().c_str());
#else
    std::fputs("lodestone: this build has no window; `lodestone --help` lists the subcommands.\n", stderr);
    return 2;
#endif
}
