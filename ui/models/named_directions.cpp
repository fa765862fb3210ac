#include "ui/models/named_directions.h"

#include "ui/models/translated.h"

#include <Eigen/Eigenvalues>

namespace lodestone::ui {
double inner(const NamedDirection& a, const NamedDirection& b) { return a.weights.dot(b.displacement); }

double shareInPlane(const NamedDirection& w, const NamedDirection& a, const NamedDirection& b)
{
    const double wa = inner(w, a), wb = inner(w, b), ab = inner(a, b);
    const double free = 1 - ab * ab;
    if (free < 1e-9)
        return std::min(1.0, wa * wa);
    return std::clamp((wa * wa + wb * wb - 2 * ab * wa * wb) / free, 0.0, 1.0);
}

std::vector<NamedDirection> namedDirections(const session::Snapshot& snapshot)
{
    std::vector<NamedDirection> list;
    const auto add
        = [&](const QString& key, const QString& name, Ink ink, const session::Direction& direction) {
              if (direction.found())
                  list.push_back({ key, name, ink, direction.readOut.weights, direction.displacement,
                                   direction.scores, direction.readOut.offset });
          };
    const session::JudgeStage& judge = *snapshot.judge;
    const auto& principles = snapshot.inputs.constitution.principles;
    const auto combine
        = [&](const QString& key, const QString& name, Ink ink, const Eigen::VectorXd& coefficients) {
              NamedDirection result{ key, name, ink, {}, {}, {}, 0 };
              for (std::size_t i = 0; i < judge.active.size(); ++i) {
                  const session::Direction& direction
                      = snapshot.principles[static_cast<std::size_t>(judge.active[i])]->direction;
                  const double a = coefficients[static_cast<Eigen::Index>(i)];
                  result.offset += a * direction.readOut.offset;
                  if (result.weights.size() == 0) {
                      result.weights = a * direction.readOut.weights;
                      result.displacement = a * direction.displacement;
                      result.scores = a * direction.scores;
                  } else {
                      result.weights += a * direction.readOut.weights;
                      result.displacement += a * direction.displacement;
                      result.scores += a * direction.scores;
                  }
              }
              const double norm = std::sqrt(std::max(0.0, result.weights.dot(result.displacement)));
              if (result.weights.size() == 0 || norm < 1e-9)
                  return;
              result.weights /= norm;
              result.displacement /= norm;
              result.scores /= norm;
              result.offset /= norm;
              list.push_back(std::move(result));
          };
    if (judge.norm > 1e-9)
        combine(QStringLiteral("constitution"), tr("constitution"), Ink::constitution(), judge.coefficients);
    add(QStringLiteral("people"), tr("people w*"), Ink::people(), snapshot.layer->people);
    add(QStringLiteral("generation"), tr("generation"), Ink::generation(), snapshot.layer->generation);
    for (std::size_t i = 0; i < principles.size(); ++i)
        add(QStringLiteral("principle:") + QString::fromStdString(principles[i].id),
            QString::fromStdString(principles[i].name), Ink::principle(static_cast<int>(i)),
            snapshot.principles[i]->direction);
    if (judge.active.size() >= 2) {
        const auto k = static_cast<Eigen::Index>(judge.active.size());
        Eigen::MatrixXd scores(snapshot.layer->rows.rows(), k);
        for (Eigen::Index i = 0; i < k; ++i)
            scores.col(i)
                = snapshot.principles[static_cast<std::size_t>(judge.active[static_cast<std::size_t>(i)])]
                      ->direction.scores;
        const Eigen::MatrixXd centred = scores.rowwise() - scores.colwise().mean();
        const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> eigen(centred.transpose() * centred);
        for (int component = 1; component <= 2; ++component)
            combine(
                QStringLiteral("component:%1").arg(component), tr("principles' component %1").arg(component),
                Ink::secondary(), eigen.eigenvectors().col(k - component));
    }
    return list;
}

} // namespace lodestone::ui
