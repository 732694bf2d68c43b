"""``features/*`` but statuses, which are written to files."""

from __future__ import annotations

from ccdashd.protocol import methods
from ccdashd.protocol import types as t
from ccdashd.rpc.dispatch import ReadCall, handles
from ccdashd.store import feature_lists, features, finding, trees


@handles(methods.FEATURES_LIST)
def features_list(call: ReadCall, params: t.FeaturesList) -> t.Page[t.FeatureRow]:
    """Features, filtered, sorted, paged."""
    return feature_lists.page(call.conn, params, call.revision)


@handles(methods.FEATURES_GET)
def features_get(call: ReadCall, params: t.FeatureId) -> t.Feature:
    """One feature with its phases, documents and sessions."""
    feature_id = finding.feature_id(call.conn, params.id, params.project)
    return features.get(call.conn, feature_id, call.revision)


@handles(methods.FEATURES_TREE)
def features_tree(call: ReadCall, params: t.FeaturesTree) -> t.Tree:
    """Features with phases and tasks."""
    return t.Tree(items=trees.of_features(call.conn, params), revision=call.revision)
