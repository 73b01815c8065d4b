"""From a package of DPC files or claims to the encrypted lake: `end_to_end_kinds.py AZEKURA_BIN_DIR WORK dpc|receipt COPIES`.

Makes a file of one month out of a sample, its patients COPIES times under other chart numbers, and a package of it; then measures
`azekura receive` and `azekura ingest` as `end_to_end.py` does. Prints a line of JSON. Megabytes are those of the file."""

import json
import os
import sys
import time
from pathlib import Path

from end_to_end import PROVIDER_NOTICE, measured, party, run

PROVIDER = "1319999991"
# Times that each patient of an EF file has the sample's acts, under numbers of their own.
ACTS = 20
SAMPLES = Path(__file__).parent.parent / "samples"


def acts(copies: int):
    """Name, bytes and patients of an EF file."""
    lines = (SAMPLES / "dpc/clean/EFn_139999991_2406.txt").read_bytes().splitlines(keepends=True)
    rows = [line.split(b"\t") for line in lines[1:]]
    charts = sorted({row[1] for row in rows})
    out, patients = [lines[0]], []
    for copy in range(copies):
        names = {chart: b"%010d" % (1_000_000 + copy * len(charts) + n) for n, chart in enumerate(charts)}
        patients += [name.decode() for name in names.values()]
        for act in range(ACTS):
            shifted = ([row[0], names[row[1]], *row[2:5], b"%04d" % (int(row[5]) + act * 100), *row[6:]] for row in rows)
            out += [b"\t".join(row) for row in shifted]
    return "EFn_139999991_2406.txt", b"".join(out), patients


def claims(copies: int):
    """Name, bytes and patients of a file of claims."""
    lines = (SAMPLES / "receipt/clean/RECEIPTC.UKE").read_bytes().splitlines(keepends=True)
    head, body, tail = lines[0], lines[1:-1], lines[-1]
    out, patients = [head], []
    for copy in range(copies):
        for line in body:
            if line.startswith(b"RE,"):
                fields = line.split(b",")
                chart = b"%d" % (1_000_000 + len(patients))
                patients.append(chart.decode())
                fields[1], fields[13] = b"%d" % len(patients), chart
                line = b",".join(fields)
            out.append(line)
    return "RECEIPTC.UKE", b"".join([*out, tail]), patients


def main():
    programs, work, kind, copies = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], int(sys.argv[4])
    (work / "files").mkdir(parents=True)
    name, content, patients = {"dpc": acts, "receipt": claims}[kind](copies)
    (work / "files" / name).write_bytes(content)
    contacts = work / "contacts.csv"
    contacts.write_text("patient,date,addressee,method\n" + "".join(f"{p},2026-04-10,person,visit\n" for p in patients))
    (work / "pass").write_text("of the measurement\n")
    env = os.environ | {"AZEKURA_PASSPHRASE_FILE": str(work / "pass")}
    key, cert = party(work, "hospital")
    instance, azekura = work / "instance", programs / "azekura"
    run(azekura, "init", instance, env=env)
    run(azekura, "provider", "add", "--instance", instance, "--id", PROVIDER, "--cert", cert, env=env)
    run(azekura, "notice", "add", "--instance", instance, "--provider", PROVIDER, "--scope", "anonymized,pseudonymized",
        "--from", PROVIDER_NOTICE, "--contacts", contacts, env=env)
    begun = time.perf_counter()
    run(programs / "azekura-send", "--provider", PROVIDER, "--sequence", 1, "--kind", kind, "--period", "2024-06-01/2024-07-31",
        "--key", key, "--cert", cert, "--to", instance / "certificates/intake.pem", "--out", work / "outbox", work / "files")
    sending = time.perf_counter() - begun
    package = next((work / "outbox").iterdir())
    receive, received = measured(azekura, "--json", "receive", "--instance", instance, package, env=env)
    ingest, taken = measured(azekura, "--json", "ingest", "--instance", instance, env=env)
    seconds, size = receive["seconds"] + ingest["seconds"], len(content)
    lake = sum(f.stat().st_size for f in (instance / "lake").rglob("*") if f.is_file())
    print(json.dumps({
        "kind": kind, "patients": taken[0]["patients_in"], "refused": taken[0]["patients_refused"],
        "megabytes": round(size / 1e6, 1), "rows": taken[0]["rows"], "send_seconds": round(sending, 2), "receive": receive,
        "ingest": ingest, "megabytes_a_second": round(size / 1e6 / seconds, 1), "rows_a_second": round(taken[0]["rows"] / seconds),
        "lake_megabytes": round(lake / 1e6, 1), "accepted": received[0]["state"],
    }))


if __name__ == "__main__":
    main()
