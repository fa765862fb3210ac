// What can be saved as a picture as it stands on screen: charts and grids.
#pragma once

#include <QImage>
#include <QString>

namespace lodestone::ui {

class PictureSource {
public:
    /// At `scale` times its pixels, on an opaque surface.
    virtual QImage image(double scale = 2) = 0;
    /// Writes image() as PNG; an empty text on success, else what went wrong.
    QString savePng(const QString& path, double scale = 2);

protected:
    PictureSource() = default;
    PictureSource(const PictureSource&) = default;
    PictureSource& operator=(const PictureSource&) = default;
    virtual ~PictureSource() = default; // owned as a widget
};

} // namespace lodestone::ui
