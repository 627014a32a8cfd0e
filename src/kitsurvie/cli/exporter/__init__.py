"""`kitsurvie exporter`: the ledger, the register and the inventory to Prometheus."""
