// ln L(s + b) - ln L(b) of a signal, as a global fit adds it up: loglike BUNDLE < yields, lines of "bin events"

#include <iomanip>
#include <iostream>
#include <string>

#include "fault.hpp"
#include "likelihood.hpp"

int main(int count, char** arguments) try {
  if (count != 2) return std::cerr << "usage: loglike BUNDLE < yields\n", 2;
  const llb::Likelihood likelihood(arguments[1]);  // once for a whole scan; every check is done here
  const llb::Manifest& manifest = likelihood.manifest();

  std::vector<double> signal(manifest.bins.size(), 0.0);
  std::vector<bool> given(manifest.optional);
  std::string bin;
  double events = 0.0;
  while (std::cin >> bin >> events) {
    const std::size_t column = manifest.columns.at(bin);
    signal[column] = events;
    given[column] = true;
  }
  for (std::size_t column = 0; column < signal.size(); ++column)
    if (!given[column]) return std::cerr << "no events for " << manifest.bins[column] << '\n', 2;

  const llb::Values values = likelihood.evaluate({signal});  // any number of signals at once
  for (const llb::Curve& curve : manifest.curves)
    if (curve.name == "observed") std::cout << std::setprecision(17) << -values.delta_nll[curve.column][0] << '\n';
  if (values.outside[0]) std::cerr << "outside of what the bundle has learned\n";
  return 0;
} catch (const std::exception& error) {
  return std::cerr << error.what() << '\n', 1;
}
