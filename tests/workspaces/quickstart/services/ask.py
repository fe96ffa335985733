"""What agent.api.metrics does: asks the time-series store for one series through the generated connector.

Usage: ask.py ROOT SERIES
"""

import pathlib
import sys

root, series = sys.argv[1:]
sys.path.insert(0, str(pathlib.Path(root, ".rtt", "drivers", "python")))
from agent_storage_tsdb_v1 import AgentStorageTsdbV1  # noqa: E402 (found on the path added above)

with AgentStorageTsdbV1.open(root=root, agent="agent.api.metrics") as store:
    samples = store.query(series=series)
    print(f"  {store.instance} answered {samples}")
