#include "ui/plots/picture_source.h"

#include <QCoreApplication>

namespace lodestone::ui {

QString PictureSource::savePng(const QString& path, double scale)
{
    if (image(scale).save(path, "PNG"))
        return {};
    return QCoreApplication::translate(
               "lodestone::ui::PictureSource",
               "The picture could not be written to %1. Check that the folder exists and is writable.")
        .arg(path);
}

} // namespace lodestone::ui
