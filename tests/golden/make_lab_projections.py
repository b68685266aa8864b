"""Writes what scikit-learn and openTSNE make of points of six classes: the projections of the lab.

File written, beside this script:

- lab_projections.json
    variances [3], shares [3], axes [3 x 12]   PCA(svd_solver="full")
    made [3]                                   its transform() of the made point
    affinities [20]                            row 0 of _t_sne._joint_probabilities_nn with 46 neighbours, perplexity 15: the
                                               20 largest, with their columns [20]
    divergence                                 kl_divergence_ of TSNE(method="exact", perplexity=15, init="pca")
    trustworthiness                            of its layout, 12 neighbours
    layout [180 x 2]                           places on a ring of the class, from golden.py's generator
    layout_trustworthiness                     of those, 12 neighbours
    placed [5 x 2]                             openTSNE's transform() of five new points into that layout

The points are 180 of 12 coordinates, point n of class n mod 6, from golden.py's generator: coordinate i of point n is
tensor("lab/projections/points")[n, i] * (i + 1) / 4, plus twice the class where i is 3 times something. The made point is
tensor("lab/projections/made") with scale 3, the new ones tensor("lab/projections/new") likewise [5 x 12].

Run, from anywhere (seconds):

    pip install scikit-learn==1.9.1 opentsne==1.0.4 numpy==2.4.6 && python make_lab_projections.py
"""

import json

import numpy as np
import openTSNE
import sklearn
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE, _t_sne, trustworthiness
from sklearn.neighbors import NearestNeighbors

from golden import HERE, tensor

POINTS, COORDINATES, CLASSES, PERPLEXITY = 180, 12, 6, 15

of = np.arange(POINTS) % CLASSES
i = np.arange(COORDINATES)
points = tensor("lab/projections/points", (POINTS, COORDINATES), 1.0, 0.0).astype(np.float64) * (i + 1) / 4
points += 2 * np.outer(of, i % 3 == 0)
made = tensor("lab/projections/made", (COORDINATES,), 3.0, 0.0).astype(np.float64)
new = tensor("lab/projections/new", (5, COORDINATES), 3.0, 0.0).astype(np.float64)

pca = PCA(n_components=3, svd_solver="full").fit(points)
# scikit-learn passes neighbours by single precision on; here they stay as they are.
graph = NearestNeighbors(n_neighbors=3 * PERPLEXITY + 1).fit(points).kneighbors_graph(mode="distance")
graph.data **= 2
affinities = _t_sne._joint_probabilities_nn(graph, PERPLEXITY, False).toarray()
columns = np.argsort(-affinities[0], kind="stable")[:20]
tsne = TSNE(method="exact", perplexity=PERPLEXITY, init="pca", random_state=0)
fitted = tsne.fit_transform(points)

ring = 2 * np.pi * of / CLASSES
layout = 10 * np.stack([np.cos(ring), np.sin(ring)], 1)
layout += tensor("lab/projections/layout", (POINTS, 2), 3.0, 0.0)
layout = layout.astype(np.float64)
layout -= (layout.max(0) + layout.min(0)) / 2
nearest = openTSNE.affinity.PerplexityBasedNN(points, perplexity=PERPLEXITY, method="exact", metric="euclidean")
embedding = openTSNE.TSNEEmbedding(layout.copy(), nearest, negative_gradient_method="bh", theta=0.0)
placed = np.asarray(embedding.transform(new))

golden = {
    "versions": {"scikit-learn": sklearn.__version__, "opentsne": openTSNE.__version__, "numpy": np.__version__},
    "variances": pca.explained_variance_.tolist(),
    "shares": pca.explained_variance_ratio_.tolist(),
    "axes": pca.components_.ravel().tolist(),
    "made": pca.transform(made[None])[0].tolist(),
    "columns": columns.tolist(),
    "affinities": affinities[0, columns].tolist(),
    "divergence": float(tsne.kl_divergence_),
    "trustworthiness": trustworthiness(points, fitted, n_neighbors=12),
    "layout": layout.ravel().tolist(),
    "layout_trustworthiness": trustworthiness(points, layout, n_neighbors=12),
    "placed": placed.ravel().tolist(),
}
(HERE / "lab_projections.json").write_text(json.dumps(golden, indent=1) + "\n")
print({k: golden[k] for k in ("variances", "divergence", "trustworthiness", "layout_trustworthiness", "placed")})
