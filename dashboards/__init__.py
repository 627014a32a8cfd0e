"""Grafana's dashboards, written as code; not part of what is installed.

python -m dashboards            write monitoring/dashboards/{fr,en}/*.json
python -m dashboards --check    fail when they are not what this code gives
"""
