"""Splink on the file of `benchmarks.identity`, in a Python that has it. Prints one JSON document.

A model as its documentation makes one: exact, near and missing values per column, the same blocks
as ours, its parameters learnt from the file. Only what splink does is timed.
"""

from __future__ import annotations

import json
import logging
import resource
import sys
import time

import duckdb
import splink.comparison_library as cl
from splink import DuckDBAPI, Linker, SettingsCreator, block_on

THRESHOLDS = (0.5, 0.9, 0.99, 0.999, 0.9999)
COLUMNS = """
    id, nullif(c_name, '') AS name, nullif(c_maker, '') AS maker, nullif(c_model, '') AS model,
    nullif(c_serial, '') AS serial, nullif(c_uuid, '') AS uuid, nullif(member, '') AS member,
    nullif("user", '') AS person, nullif(bought, '') AS bought,
    CASE WHEN c_macs = '' THEN NULL ELSE string_split(c_macs, '|') END AS macs
"""


def main() -> None:
    """Learn, predict, cluster; seconds and CPU seconds are of one threshold, groups of each."""
    logging.disable(logging.WARNING)
    start = time.perf_counter()
    connection = duckdb.connect()
    path = sys.argv[1].replace("'", "''")
    connection.execute(
        f"CREATE TABLE records AS SELECT {COLUMNS} FROM read_csv('{path}', all_varchar=true)"
    )
    by_mac = block_on("macs", arrays_to_explode=["macs"])
    settings = SettingsCreator(
        link_type="dedupe_only",
        unique_id_column_name="id",
        comparisons=[
            cl.LevenshteinAtThresholds("serial", [1]),
            cl.ExactMatch("uuid"),
            cl.ArrayIntersectAtSizes("macs", [1]),
            cl.JaroWinklerAtThresholds("name", [0.95, 0.88]).configure(
                term_frequency_adjustments=True
            ),
            cl.ExactMatch("member"),
            cl.ExactMatch("model"),
            cl.ExactMatch("person").configure(term_frequency_adjustments=True),
            cl.ExactMatch("bought"),
        ],
        blocking_rules_to_generate_predictions=[
            block_on("serial"),
            block_on("uuid"),
            by_mac,
            block_on("member", "name"),
            block_on("member", "model", "bought"),
            block_on("member", "person"),
        ],
    )
    records = DuckDBAPI(connection=connection).register("records")
    linker = Linker(records, settings, log_level=None)
    linker.training.estimate_probability_two_random_records_match(
        [block_on("serial"), block_on("uuid")], recall=0.9
    )
    linker.training.estimate_u_using_random_sampling(max_pairs=2e6)
    for block in (block_on("serial"), block_on("uuid"), block_on("member", "name")):
        linker.training.estimate_parameters_using_expectation_maximisation(block)
    pairs = linker.inference.predict(threshold_match_probability=THRESHOLDS[0])
    clustered = []
    seconds = cpu = 0.0
    for threshold in THRESHOLDS:
        found = linker.clustering.cluster_pairwise_predictions_at_threshold(pairs, threshold)
        seconds = seconds or time.perf_counter() - start
        cpu = cpu or time.process_time()
        groups = connection.execute(
            f"SELECT list(id) FROM {found.physical_name} GROUP BY cluster_id HAVING count(*) > 1"
        ).fetchall()
        clustered.append([group[0] for group in groups])
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    said = {"seconds": seconds, "cpu": cpu, "megabytes": megabytes, "groups": clustered}
    print(json.dumps(said))


if __name__ == "__main__":
    main()
