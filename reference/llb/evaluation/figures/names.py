"""What curves and distances are called where people read."""

from __future__ import annotations

__all__ = ["CURVE_TITLES", "DISTANCE_TITLES"]

CURVE_TITLES = {
    "observed": "Observed",
    "observed_asimov": "Observed Asimov",
    "apriori": "A priori",
    "apriori_asimov": "A priori Asimov",
}

DISTANCE_TITLES = {
    "mean_ks": "Kolmogorov-Smirnov, mean",
    "sliced_ks": "Kolmogorov-Smirnov, sliced",
    "mean_wasserstein": "Wasserstein, mean",
    "sliced_wasserstein": "Wasserstein, sliced",
    "hpd_68": "width of HPD 68 %",
    "hpd_95": "width of HPD 95 %",
    "hpd_99": "width of HPD 99 %",
    "correlation": "correlation",
    "frechet": "Fréchet",
    "log_prob_ks": "Kolmogorov-Smirnov of ln density",
}
