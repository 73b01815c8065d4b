"""From a provider's package to the encrypted lake, by the operator's commands: `end_to_end.py AZEKURA_BIN_DIR WORK PERSONS`.

Makes one synthetic hospital with PERSONS persons, an instance, and a package; then measures `azekura receive` and
`azekura ingest` (first compaction included): seconds by the clock, processor seconds, and the largest sum of the
resident memory of the command and the processes that it starts, sampled every 20 ms. Prints a line of JSON.

Megabytes are those of the SS-MIX2 files in the package."""

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

PROVIDER_NOTICE = "2026-04-01"


def run(*command, **more):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, **more)
    if done.returncode != 0:
        sys.exit(f"{command}: {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done.stdout


def party(work: Path, name: str):
    key, request, cert = (work / f"{name}.{end}" for end in ("key", "csr", "pem"))
    run("openssl", "req", "-newkey", "rsa:3072", "-nodes", "-subj", f"/CN={name}", "-keyout", key, "-out", request)
    run("openssl", "x509", "-req", "-in", request, "-signkey", key, "-days", "30", "-out", cert)
    return key, cert


def resident(pid: int) -> int:
    """Bytes of a process and all below it."""
    total = 0
    try:
        with open(f"/proc/{pid}/smaps_rollup") as rollup:
            total += next(int(line.split()[1]) for line in rollup if line.startswith("Pss:")) * 1024
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/children") as children:
                total += sum(resident(int(child)) for child in children.read().split())
    except (FileNotFoundError, ProcessLookupError, StopIteration):
        pass
    return total


def measured(*command, env):
    before = os.times()
    begun = time.perf_counter()
    process = subprocess.Popen([str(c) for c in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env)
    peak, over = 0, threading.Event()

    def watch():
        nonlocal peak
        while not over.wait(0.02):
            peak = max(peak, resident(process.pid))

    watcher = threading.Thread(target=watch)
    watcher.start()
    out, err = process.communicate()
    seconds = time.perf_counter() - begun
    over.set()
    watcher.join()
    if process.returncode != 0:
        sys.exit(f"{command}: {process.returncode}\n{out}\n{err}")
    after = os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return {"seconds": round(seconds, 2), "cpu_seconds": round(cpu, 2), "peak_mib": peak >> 20}, json.loads(out)


def main():
    programs, work, persons = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    work.mkdir(parents=True)
    run(programs / "azekura", "synth", "--persons", persons, "--providers", 1, "--seed", 1, "--out", work / "hospitals")
    hospital = next(p for p in (work / "hospitals").iterdir() if (p / "storage").is_dir())
    provider, storage = hospital.name, hospital / "storage"
    patients = [p.name for a in storage.iterdir() if a.is_dir() for b in a.iterdir() if b.is_dir() for p in b.iterdir()]
    contacts = work / "contacts.csv"
    contacts.write_text("patient,date,addressee,method\n" + "".join(f"{p},2026-04-10,person,visit\n" for p in patients))

    (work / "pass").write_text("of the measurement\n")
    env = os.environ | {"AZEKURA_PASSPHRASE_FILE": str(work / "pass")}
    key, cert = party(work, "hospital")
    instance = work / "instance"
    azekura = programs / "azekura"
    run(azekura, "init", instance, env=env)
    run(azekura, "provider", "add", "--instance", instance, "--id", provider, "--cert", cert, env=env)
    run(azekura, "notice", "add", "--instance", instance, "--provider", provider, "--scope", "anonymized,pseudonymized",
        "--from", PROVIDER_NOTICE, "--contacts", contacts, env=env)
    begun = time.perf_counter()
    run(programs / "azekura-send", "--provider", provider, "--sequence", 1, "--kind", "ssmix2",
        "--period", "2018-01-01/2026-09-30", "--key", key, "--cert", cert, "--to", instance / "certificates/intake.pem",
        "--out", work / "outbox", storage)
    sending = time.perf_counter() - begun
    package = next((work / "outbox").iterdir())
    size = sum(f.stat().st_size for f in storage.rglob("*") if f.is_file())

    receive, received = measured(azekura, "--json", "receive", "--instance", instance, package, env=env)
    ingest, taken = measured(azekura, "--json", "ingest", "--instance", instance, env=env)
    seconds = receive["seconds"] + ingest["seconds"]
    rows, files = taken[0]["rows"], taken[0]["members"]
    lake = sum(f.stat().st_size for f in (instance / "lake").rglob("*") if f.is_file())
    print(json.dumps({
        "persons": persons, "patients": taken[0]["patients_in"], "files": files, "megabytes": round(size / 1e6, 1),
        "mean_bytes": round(size / files), "rows": rows, "send_seconds": round(sending, 2), "receive": receive, "ingest": ingest,
        "megabytes_a_second": round(size / 1e6 / seconds, 1), "rows_a_second": round(rows / seconds),
        "ingest_megabytes_a_second": round(size / 1e6 / ingest["seconds"], 1), "lake_megabytes": round(lake / 1e6, 1),
        "lake_files": sum(1 for f in (instance / "lake").rglob("*.parquet")), "accepted": received[0]["state"],
    }))


if __name__ == "__main__":
    main()
