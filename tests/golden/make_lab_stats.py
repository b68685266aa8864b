"""Writes what scikit-learn makes of points of three classes: the statistics of the lab.

File written, beside this script:

- lab_stats.json   shrinkage, covariance [12 x 12]   LedoitWolf on the points less the means of their classes
                   squares [3]     its mahalanobis() of the made point less the mean of each class
                   pooled_square   mahalanobis() of the made point by LedoitWolf on the points, which takes their mean off
                   areas [3]       roc_auc_score of coordinate 3, rounded to tenths so that there are ties, of each class
                   significances, corrected [3]  mannwhitneyu (asymptotic) of it, and false_discovery_control of those
                   spearman        spearmanr of coordinate 3, rounded likewise, and coordinate 5
                   neighbours [10] NearestNeighbors of the made point, metric cosine, with their distances

The points are 60 of 12 coordinates, point n of class n mod 3, from golden.py's generator: coordinate i of point n is
tensor("lab/stats/points")[n, i] * (i + 1) / 4, plus half the class where i is odd. The made point is
tensor("lab/stats/made") with scale 3. All sums are in f64.

Run, from anywhere (seconds):

    pip install scikit-learn==1.9.1 scipy==1.17.1 numpy==2.4.6 && python make_lab_stats.py
"""

import json

import numpy as np
import sklearn
from scipy.stats import false_discovery_control, mannwhitneyu, spearmanr
from sklearn.covariance import LedoitWolf
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import NearestNeighbors

from golden import HERE, tensor

POINTS, COORDINATES, CLASSES = 60, 12, 3

of = np.arange(POINTS) % CLASSES
steps = np.arange(1, COORDINATES + 1) / 4
points = tensor("lab/stats/points", (POINTS, COORDINATES), 1.0, 0.0).astype(np.float64) * steps
points += np.outer(of, np.arange(COORDINATES) % 2) / 2
made = tensor("lab/stats/made", (COORDINATES,), 3.0, 0.0).astype(np.float64)
means = np.stack([points[of == c].mean(0) for c in range(CLASSES)])
tied = LedoitWolf().fit(points - means[of])
coordinate = np.round(points[:, 3] * 10) / 10
distances, neighbours = NearestNeighbors(n_neighbors=10, metric="cosine").fit(points).kneighbors(made[None])
significances = [
    mannwhitneyu(coordinate[of == c], coordinate[of != c], method="asymptotic").pvalue for c in range(CLASSES)
]
golden = {
    "versions": {"scikit-learn": sklearn.__version__, "numpy": np.__version__},
    "shrinkage": tied.shrinkage_,
    "covariance": tied.covariance_.ravel().tolist(),
    "squares": tied.mahalanobis(made - means).tolist(),
    "pooled_square": LedoitWolf().fit(points).mahalanobis(made[None])[0],
    "areas": [roc_auc_score(of == c, coordinate) for c in range(CLASSES)],
    "significances": significances,
    "corrected": false_discovery_control(significances).tolist(),
    "spearman": spearmanr(coordinate, points[:, 5]).statistic,
    "neighbours": neighbours[0].tolist(),
    "distances": distances[0].tolist(),
}
assert 0.05 < tied.shrinkage_ < 0.95
(HERE / "lab_stats.json").write_text(json.dumps(golden, indent=1) + "\n")
