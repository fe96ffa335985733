# Stage 40 against CP-SAT and HiGHS on the same model, sourced by bench.sh.

# The peers go into a virtual environment of their own. $PLANNER_SEEDS (default 5) and $PLANNER_SECONDS (default 60, for each
# peer on each instance) make it shorter: with the defaults it takes an hour.
bench_planner() {
  need pip3 python3-pip
  install_missing
  python3 -m venv "$scratch/peers" 2>/dev/null || { missing_packages+=(python3-venv); install_missing; python3 -m venv "$scratch/peers"; }
  "$scratch/peers/bin/pip" install --quiet --disable-pip-version-check ortools==9.15.6755 highspy==1.16.0
  PYTHONPATH=tests/oracle "$scratch/peers/bin/python" scripts/bench/planner.py "$target/release" "$scratch/planner" \
    "${PLANNER_SEEDS:-5}" "${PLANNER_SECONDS:-60}" || missed=1
}
