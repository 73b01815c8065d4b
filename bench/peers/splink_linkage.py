#!/usr/bin/env python3
"""Splink on the output of make_people.py: the yardstick for record linkage.

    splink_linkage.py --people people.csv --truth truth.csv [--threads 2]

Needs: splink >= 5, duckdb, pyarrow.  Prints one JSON object.
Stages timed (wall seconds): load, normalise, train, block, score, veto,
cluster; the evaluation is not part of the total.  Peak memory is the whole
process, evaluation included.
The model is a serious one: Japanese normalisation first, eleven blocking rules,
Jaro-Winkler on kana, term-frequency adjustment on names, EM training, and
levels that understand household cards and branch numbers.  accuracy_model_only
is the Fellegi-Sunter score alone; accuracy_with_veto adds the hand-written
rules for twins, parent and child, and test patients that such a team would add.
Truth is read only for the evaluation.
"""
import argparse
import json
import logging
import os
import resource
import sys
import time
import warnings

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "linkage"))
import ja_names as T  # noqa: E402

logging.getLogger("splink").setLevel(logging.ERROR)
warnings.filterwarnings("ignore")

from splink import DuckDBAPI, Linker, SettingsCreator, block_on  # noqa: E402
import splink.comparison_library as cl  # noqa: E402
import splink.comparison_level_library as cll  # noqa: E402
from splink.internals import comparison_level  # noqa: E402

# Splink 5.0.0 ends with a ValueError where EM makes an m-probability 0 (which it does on some of these sets): its own
# smallest value is put in the place.
_LEVEL = comparison_level.ComparisonLevel
_SMALLEST = comparison_level.M_U_CLAMP_MIN


def _clamped(self, value):
    if isinstance(value, (int, float)):
        value = max(value, _SMALLEST)
    _M_PROBABILITY.fset(self, value)


_M_PROBABILITY = _LEVEL.m_probability
_LEVEL.m_probability = property(_M_PROBABILITY.fget, _clamped)


def sql_list(src, dst):
    return "'%s', '%s'" % (src, dst)


HIRA = "".join(chr(c) for c in range(ord("ぁ"), ord("ゖ") + 1))
KATA = "".join(chr(ord(c) + 0x60) for c in HIRA)
# DuckDB compares strings byte by byte, and all kana share their first two bytes,
# so edit distances run on a one-byte image of the kana.
PLAIN = [c for c in "アイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワンガギグゲゴザジズゼゾダヂヅデドバビブベボパピプペポヴ"]
BYTE = [chr(c) for c in range(35, 127) if chr(c) not in "'\\"][:len(PLAIN)]
OLD = "".join(o for olds in T.VARIANTS.values() for o in olds if "\U000e0100" not in o)
NEW = "".join(n for n, olds in T.VARIANTS.items() for o in olds if "\U000e0100" not in o)


def normalise(con):
    """people -> p: one row a record, comparable columns."""
    t = con.sql("select * from people").to_arrow_table()
    for c in ("family_kanji", "given_kanji", "family_kana", "given_kana", "birth_date", "address", "phone",
              "postal_code", "insurer_number", "insured_symbol", "insured_number", "insured_branch", "sex"):
        a = t.column(c).combine_chunks()
        t = t.set_column(t.schema.get_field_index(c), c, pc.utf8_normalize(pc.fill_null(a, ""), form="NFKC"))
    con.register("raw", t)

    def kana(c):
        return ("replace(translate(translate(trim(%s), %s), %s), 'ー', '')" % (
            c, sql_list(HIRA, KATA), sql_list("ァィゥェォッャュョヮヅヂヱヰヲヴ", "アイウエオツヤユヨワズジエイオブ")))

    def kanji(c):
        return "replace(translate(trim(%s), %s), '\U000e0100', '')" % (c, sql_list(OLD, NEW))

    con.execute("""
        create table n0 as select record_id, institution_id,
          %s as fk, %s as gk, %s as fy, %s as gy,
          case sex when '1' then 'M' when '2' then 'F' when '男' then 'M' when '女' then 'F' when 'M' then 'M' when 'F' then 'F' end as sex,
          birth_date as bd, regexp_replace(postal_code, '[^0-9]', '', 'g') as zip,
          regexp_replace(phone, '[^0-9]', '', 'g') as phone, address as ad,
          case when insurer_number = '' then null else lpad(regexp_replace(insurer_number, '[^0-9]', '', 'g'), 8, '0') end as insurer,
          upper(trim(insured_symbol)) as sym, ltrim(trim(insured_number), '0') as num,
          try_cast(insured_branch as integer) as branch
        from raw""" % (kanji("family_kanji"), kanji("given_kanji"), kana("family_kana"), kana("given_kana")))
    # one-field names: split at the space, else with the surnames seen elsewhere
    con.execute("""
        update n0 set fy = split_part(fy, ' ', 1), gy = array_to_string(string_split(fy, ' ')[2:], '') where gy = '' and contains(fy, ' ');
        update n0 set fk = split_part(fk, ' ', 1), gk = array_to_string(string_split(fk, ' ')[2:], '') where gk = '' and contains(fk, ' ');
    """)
    for f, g in (("fy", "gy"), ("fk", "gk")):
        fams = dict(con.execute("select %s, count(*) from n0 where %s <> '' and %s <> '' group by 1" % (f, g, f)).fetchall())
        gives = dict(con.execute("select %s, count(*) from n0 where %s <> '' and %s <> '' group by 1" % (g, g, f)).fetchall())
        todo = [x for (x,) in con.execute("select distinct %s from n0 where %s = '' and %s <> ''" % (f, g, f)).fetchall()]
        rows = []
        for x in todo:
            best = (0, x, "")
            for i in range(1, len(x)):
                s = fams.get(x[:i], 0) * (gives.get(x[i:], 0) + 0.1)
                if s > best[0]:
                    best = (s, x[:i], x[i:])
            rows.append((x, best[1], best[2]))
        con.register("split_tmp", pa.table({"x": [r[0] for r in rows], "a": [r[1] for r in rows], "b": [r[2] for r in rows]},
                                           schema=pa.schema([("x", pa.string()), ("a", pa.string()), ("b", pa.string())])))
        con.execute("update n0 set %s = s.a, %s = s.b from split_tmp s where n0.%s = '' and n0.%s = s.x" % (f, g, g, f))
        con.unregister("split_tmp")
    con.execute(r"""
        create table n1 as select *,
          regexp_extract(bd, '^([MTSHR明大昭平令])[治正和成]?([0-9]+|元)[.年]([0-9]+)[.月]([0-9]+)', ['e','y','m','d']) as er,
          regexp_extract(bd, '^([0-9]{4})[-/]?([0-9]{1,2})[-/]?([0-9]{1,2})$', ['y','m','d']) as we,
          regexp_replace(regexp_replace(regexp_replace(ad, '[ 　]|大字', '', 'g'), '[‐−―ー-]([0-9])', '-\1', 'g'), '[ヶが]', 'ケ', 'g') as a1
        from n0""")
    pref = "|".join(line.split("|")[0] for line in T.PREFS.strip().splitlines())
    con.execute(r"""
        create table n2 as select * exclude (a1),
          regexp_replace(regexp_replace(translate(regexp_replace(a1, '^(%s)', ''), '', ''),
            '([一二三四五六七八九])丁目', '<\1>丁目', 'g'), '^$', '') as a2 from n1""" % pref)
    con.execute(r"""
        create table n3 as select * exclude (a2),
          regexp_replace(regexp_replace(translate(replace(replace(
             regexp_replace(a2, '<([一二三四五六七八九])>', '<\1>', 'g'), '<', '<'), '>', '>'), '〇', '〇'),
             '丁目|番地の|番地|番|号|の([0-9])', '-\1', 'g'), '--+', '-', 'g') as a3 from n2""")
    k = "a3"
    for i, c in enumerate("一二三四五六七八九", 1):
        k = "replace(%s, '<%s>', '%d')" % (k, c, i)
    con.execute(r"""
        create table p as
        with q as (select *, %s as a4 from n3)
        select record_id as unique_id, institution_id,
          nullif(fk,'') as fk, nullif(gk,'') as gk, nullif(fy,'') as fy, nullif(gy,'') as gy, sex,
          case when fk = '' then null else fk || gk end as nk,
          case when fy = '' then null else fy || gy end as ny,
          case when we.y <> '' then we.y || '-' || lpad(we.m,2,'0') || '-' || lpad(we.d,2,'0')
               when er.e <> '' then (case er.e when 'R' then 2018 when '令' then 2018 when 'H' then 1988 when '平' then 1988
                  when 'S' then 1925 when '昭' then 1925 when 'T' then 1911 when '大' then 1911 else 1867 end
                  + (case when er.y = '元' then 1 else coalesce(try_cast(er.y as int), 0) end))::varchar || '-' || lpad(er.m,2,'0') || '-' || lpad(er.d,2,'0') end as dob,
          nullif(zip,'') as zip, nullif(phone,'') as phone, insurer,
          case when insurer is null or num = '' then null else insurer || '|' || sym || '|' || num end as card,
          nullif(num,'') as num, branch,
          nullif(regexp_extract(a4, '^([^0-9]+[0-9]+(?:-[0-9]+)*)', 1), '') as addr,
          nullif(regexp_extract(a4, '^([^0-9]+)', 1), '') as town
        from q""" % k)
    con.execute("alter table p add column yob varchar; alter table p add column fa varchar; alter table p add column ga varchar")
    con.execute("update p set yob = dob[1:4], fa = translate(fy, '%s', '%s'), ga = translate(gy, '%s', '%s')" % (
        "".join(PLAIN), "".join(BYTE), "".join(PLAIN), "".join(BYTE)))
    for x in ("n0", "n1", "n2", "n3"):
        con.execute("drop table " + x)
    con.unregister("raw")


def settings():
    given = cl.CustomComparison(output_column_name="given", comparison_levels=[
        cll.NullLevel("gy"),
        cll.CustomLevel("gy_l = gy_r and gk_l = gk_r", "kana and kanji equal").configure(tf_adjustment_column="gk", tf_minimum_u_value=1e-5),
        cll.CustomLevel("gy_l = gy_r and (gk_l is null or gk_r is null)", "kana equal, kanji missing").configure(tf_adjustment_column="gy", tf_minimum_u_value=1e-5),
        cll.CustomLevel("gy_l = gy_r", "kana equal, kanji differ").configure(tf_adjustment_column="gy", tf_minimum_u_value=1e-5),
        cll.CustomLevel("gk_l = gk_r", "kanji equal, kana differ").configure(tf_adjustment_column="gk", tf_minimum_u_value=1e-5),
        cll.CustomLevel("gy_l = fy_r and fy_l = gy_r", "family and given swapped"),
        cll.CustomLevel("jaro_winkler_similarity(ga_l, ga_r) >= 0.88", "jw 0.88"),
        cll.CustomLevel("jaro_winkler_similarity(ga_l, ga_r) >= 0.75 or contains(gy_l, 'ベビ') or contains(gy_r, 'ベビ')", "jw 0.75 or newborn stand-in"),
        cll.ElseLevel()])
    family = cl.CustomComparison(output_column_name="family", comparison_levels=[
        cll.NullLevel("fy"),
        cll.CustomLevel("fy_l = fy_r and fk_l = fk_r", "kana and kanji equal").configure(tf_adjustment_column="fk", tf_minimum_u_value=1e-5),
        cll.CustomLevel("fy_l = fy_r", "kana equal").configure(tf_adjustment_column="fy", tf_minimum_u_value=1e-5),
        cll.CustomLevel("fk_l = fk_r", "kanji equal").configure(tf_adjustment_column="fk", tf_minimum_u_value=1e-5),
        cll.CustomLevel("gy_l = fy_r and fy_l = gy_r", "family and given swapped"),
        cll.CustomLevel("jaro_winkler_similarity(fa_l, fa_r) >= 0.85", "jw 0.85"),
        cll.ElseLevel()])
    dob = cl.CustomComparison(output_column_name="dob", comparison_levels=[
        cll.NullLevel("dob"),
        cll.ExactMatchLevel("dob"),
        cll.CustomLevel("(dob_l[1:4] = dob_r[1:4] or dob_l[6:10] = dob_r[6:10]) and damerau_levenshtein(dob_l, dob_r) <= 1", "one edit"),
        cll.CustomLevel("dob_l[6:10] = dob_r[6:10] or dob_l[1:7] = dob_r[1:7] or (dob_l[1:4] = dob_r[1:4] and dob_l[6:7] = dob_r[9:10] and dob_l[9:10] = dob_r[6:7])", "same month-day, same year-month or exchanged"),
        cll.ElseLevel()])
    card = cl.CustomComparison(output_column_name="card", comparison_levels=[
        cll.NullLevel("card"),
        cll.CustomLevel("card_l = card_r and branch_l = branch_r", "card and branch equal"),
        cll.CustomLevel("card_l = card_r and branch_l <> branch_r", "card equal, branch differs"),
        cll.CustomLevel("card_l = card_r", "card equal, branch unknown"),
        cll.CustomLevel("num_l = num_r or (insurer_l = insurer_r and levenshtein(num_l, num_r) <= 1)", "number equal or one edit"),
        cll.CustomLevel("insurer_l = insurer_r", "insurer equal"),
        cll.ElseLevel()])
    addr = cl.CustomComparison(output_column_name="addr", comparison_levels=[
        cll.CustomLevel("addr_l is null or addr_r is null", "null").configure(is_null_level=True),
        cll.CustomLevel("addr_l = addr_r", "street number equal"),
        cll.CustomLevel("town_l = town_r", "town equal"),
        cll.CustomLevel("zip_l = zip_r", "postal code equal"),
        cll.ElseLevel()])
    phone = cl.CustomComparison(output_column_name="phone", comparison_levels=[
        cll.NullLevel("phone"),
        cll.ExactMatchLevel("phone"),
        cll.CustomLevel("(phone_l[1:6] = phone_r[1:6] or phone_l[-5:] = phone_r[-5:]) and damerau_levenshtein(phone_l, phone_r) <= 1", "one edit"),
        cll.ElseLevel()])
    return SettingsCreator(
        link_type="dedupe_only",
        comparisons=[given, family, dob, cl.ExactMatch("sex"), card, addr, phone],
        blocking_rules_to_generate_predictions=[
            block_on("dob", "gy"), block_on("dob", "fy"), block_on("dob", "gk"), block_on("dob", "phone"),
            block_on("dob", "card"), block_on("dob", "zip"), block_on("card", "gy"), block_on("phone", "gy"),
            block_on("ny", "zip"), block_on("ny", "yob"), block_on("nk", "insurer")],
        retain_matching_columns=False, retain_intermediate_calculation_columns=False,
        max_iterations=25, em_convergence=0.001)


VETO = """
    (l.ga <> r.ga and coalesce(l.gk <> r.gk, true) and jaro_winkler_similarity(l.ga, r.ga) < (case when l.gk <> r.gk then 0.88 else 0.75 end)
      and not contains(l.gy, 'ベビ') and not contains(r.gy, 'ベビ') and coalesce(l.gy <> r.fy, true)
      and (l.card = r.card or l.addr = r.addr or l.phone = r.phone))
    or (l.card = r.card and l.branch <> r.branch and (l.dob <> r.dob or l.ga <> r.ga))
    or (l.dob <> r.dob and l.dob[6:10] <> r.dob[6:10] and damerau_levenshtein(l.dob, r.dob) > 2)
    or l.fy in ('テスト', 'シケン', 'ケンシユウ')"""


def veto(con, pred):
    """Household rule: relatives who share card, address and telephone are not one person; test patients are nobody."""
    con.execute("""create table pred_veto as select p.* from %s p join p l on l.unique_id = p.unique_id_l
        join p r on r.unique_id = p.unique_id_r where not coalesce(%s, false)""" % (pred, VETO))


def evaluate(con, pred, truth_csv, clusterings):
    for t in ("truth", "tt", "scored", "tp", "hit", "ct"):
        con.execute("drop table if exists " + t)
    con.execute("create table truth as select * from read_csv('%s', all_varchar=true)" % truth_csv)
    con.execute("create table tt as select record_id, dense_rank() over (order by person_id) as pid, dense_rank() over (order by household_id) as hid, coalesce(tags,'') as tags, state from truth")
    total = con.execute("select coalesce(sum(c*(c-1)/2),0)::bigint from (select count(*) c from tt group by pid)").fetchall()[0][0]
    con.execute("""create table scored as select p.match_weight as w, p.match_probability as mp, (a.pid = b.pid) as same,
        (a.hid = b.hid) as house, a.tags as ta, b.tags as tb, a.state as sa, b.state as sb
        from %s p join tt a on a.record_id = p.unique_id_l join tt b on b.record_id = p.unique_id_r""" % pred)
    out = {"true_pairs": total, "pairs_scored_kept": con.execute("select count(*) from scored").fetchall()[0][0],
           "true_pairs_kept": con.execute("select count(*) from scored where same").fetchall()[0][0]}

    def at(cond):
        tp, n = con.execute("select coalesce(count(*) filter (where same),0), count(*) from scored where " + cond).fetchall()[0]
        pr, rc = (tp / n if n else 0.0), tp / total
        return {"precision": round(pr, 5), "recall": round(rc, 5), "f1": round(2 * pr * rc / (pr + rc) if pr + rc else 0, 5), "tp": tp, "fp": n - tp}
    row = con.execute("""with g as (select round(w,1) as w, count(*) n, count(*) filter (where same) tp from scored group by 1),
        c as (select w, sum(n) over (order by w desc) n, sum(tp) over (order by w desc) tp from g)
        select w, 2.0*tp/(n+%d) from c order by 2 desc, 1 limit 1""" % total).fetchall()[0]
    best = float(row[0])
    out["best_weight"] = best
    out["best"] = at("round(w,1) >= %f" % best)
    out["p0.95"] = at("mp >= 0.95")
    out["p0.99"] = at("mp >= 0.99")
    r = con.execute("""with g as (select round(w,1) as w, count(*) n, count(*) filter (where same) tp from scored group by 1),
        c as (select w, sum(n) over (order by w desc) n, sum(tp) over (order by w desc) tp from g)
        select max(tp) from c where 1.0*tp/n >= 0.9999""").fetchall()[0][0]
    out["recall_at_precision_0.9999"] = round((r or 0) / total, 5)
    out["best_false_pairs_same_household"] = con.execute("select count(*) from scored where not same and house and round(w,1) >= %f" % best).fetchall()[0][0]
    out["best_false_pairs_twins"] = con.execute("select count(*) from scored where not same and house and contains(ta,'twin') and contains(tb,'twin') and round(w,1) >= %f" % best).fetchall()[0][0]
    # recall by kind of difficulty, at the best threshold
    con.execute("""create table tp as select a.record_id ra, b.record_id rb, a.tags ta, b.tags tb, a.state sa, b.state sb
        from tt a join tt b on a.pid = b.pid and a.record_id < b.record_id""")
    con.execute("create table hit as select least(unique_id_l,unique_id_r) ra, greatest(unique_id_l,unique_id_r) rb from %s where round(match_weight,1) >= %f" % (pred, best))
    slices = {}
    for name, cond in ([("name_change", "split_part(sa,'.',1) <> split_part(sb,'.',1)"), ("move", "split_part(sa,'.',2) <> split_part(sb,'.',2)"),
                        ("insurer_change", "split_part(sa,'.',3) <> split_part(sb,'.',3)"), ("all_three", "split_part(sa,'.',1) <> split_part(sb,'.',1) and split_part(sa,'.',2) <> split_part(sb,'.',2) and split_part(sa,'.',3) <> split_part(sb,'.',3)")]
                       + [(x, "contains(ta,'%s') or contains(tb,'%s')" % (x, x)) for x in ("twin", "newborn", "dob_error", "kana_typo", "kana_reading", "kana_variant", "old_kanji", "kanji_conversion", "joined_name", "no_kanji", "no_insurance", "foreign", "alias", "swapped", "sex_error", "dup_local")]):
        n, h = con.execute("select count(*), count(hit.ra) from tp left join hit on hit.ra = tp.ra and hit.rb = tp.rb where " + cond).fetchall()[0]
        slices[name] = {"pairs": n, "recall": round(h / n, 4) if n else None}
    out["recall_by_kind_at_best"] = slices
    for name, tab in clusterings.items():
        con.execute("create or replace table ct as select c.cluster_id as cid, t.pid, count(*) n from %s c join tt t on t.record_id = c.unique_id group by 1,2" % tab)
        tp, pp, b_p, b_r, n, nc, exact = con.execute("""
            with c as (select *, sum(n) over (partition by cid) cn, sum(n) over (partition by pid) pn from ct)
            select sum(n*(n-1)/2), (select sum(s*(s-1)/2) from (select sum(n) s from ct group by cid)),
              sum(n*n*1.0/cn)/sum(n), sum(n*n*1.0/pn)/sum(n), sum(n), count(distinct cid), count(*) filter (where n = cn and n = pn) from c""").fetchall()[0]
        tp, pp, b_p, b_r = float(tp), float(pp), float(b_p), float(b_r)
        np_ = con.execute("select count(distinct pid) from ct").fetchall()[0][0]
        mixed = con.execute("select count(*) from (select cid from ct group by cid having count(*) > 1)").fetchall()[0][0]
        split = con.execute("select count(*) from (select pid from ct group by pid having count(*) > 1)").fetchall()[0][0]
        pr, rc = (tp / pp if pp else 1.0), tp / total
        out["cluster_" + name] = {"pair_precision": round(pr, 5), "pair_recall": round(rc, 5), "pair_f1": round(2 * pr * rc / (pr + rc), 5),
                                  "b3_precision": round(b_p, 5), "b3_recall": round(b_r, 5), "b3_f1": round(2 * b_p * b_r / (b_p + b_r), 5),
                                  "clusters": nc, "persons": np_, "persons_exact": exact, "clusters_mixing_persons": mixed, "persons_split": split,
                                  "largest_cluster": int(con.execute("select max(s) from (select sum(n) s from ct group by cid)").fetchall()[0][0])}
    return out


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--people", required=True)
    ap.add_argument("--truth")
    ap.add_argument("--threads", type=int, default=2)
    ap.add_argument("--memory", default="12GB")
    ap.add_argument("--u-pairs", type=float, default=1e6)
    ap.add_argument("--keep-weight", type=float, default=-4.0)
    ap.add_argument("--cluster-weight", type=float, nargs="*", default=[], help="also cluster at these weights")
    ap.add_argument("--model", help="write the trained model here")
    a = ap.parse_args()
    con = duckdb.connect()
    con.execute("set threads = %d; set memory_limit = '%s'; set preserve_insertion_order = false" % (a.threads, a.memory))
    sec, cpu, last = {}, {}, [time.perf_counter(), time.process_time()]

    def lap(name):
        now, used = time.perf_counter(), time.process_time()
        sec[name], cpu[name] = round(now - last[0], 2), round(used - last[1], 2)
        last[:] = [now, used]
        print(name, sec[name], file=sys.stderr)
    src = "read_parquet('%s')" % a.people if a.people.endswith(".parquet") else "read_csv('%s', all_varchar=true, header=true)" % a.people
    con.execute("create table people as select * from " + src)
    n = con.execute("select count(*) from people").fetchall()[0][0]
    lap("load")
    normalise(con)
    lap("normalise")
    api = DuckDBAPI(connection=con)
    linker = Linker(api.register(con.table("p")), settings(), log_level=logging.ERROR)
    linker.training.estimate_probability_two_random_records_match(
        [block_on("dob", "ny"), block_on("card", "gy"), block_on("phone", "gy", "sex")], recall=0.9)
    linker.training.estimate_u_using_random_sampling(max_pairs=a.u_pairs, seed=1)
    share = 1.0 if n <= 200000 else 200000 / n
    for rule in (block_on("dob", "sex"), block_on("ny"), block_on("card", "gy")):
        linker.training.estimate_parameters_using_expectation_maximisation(rule, record_sample_proportion=share)
    if a.model:
        linker.misc.save_model_to_json(a.model, overwrite=True)
    lap("train")
    pairs = linker.inference.compute_blocked_pairs_for_predict()
    n_pairs = con.execute("select count(*) from " + pairs.physical_name).fetchall()[0][0]
    lap("block")
    pred = linker.inference.predict(threshold_match_weight=a.keep_weight)
    lap("score")
    veto(con, pred.physical_name)
    lap("veto")
    predv = api.register(con.table("pred_veto"))
    clv = linker.clustering.cluster_pairwise_predictions_at_threshold(predv, threshold_match_probability=0.95)
    lap("cluster")
    total = round(sum(sec.values()), 2)
    out = {"records": n, "threads": a.threads, "seconds": dict(sec), "total_seconds": total,
           "cpu_seconds": dict(cpu), "total_cpu_seconds": round(sum(cpu.values()), 2), "records_per_second": round(n / total),
           "pairs_compared": n_pairs, "pairs_per_second": round(n_pairs / max(sec["score"], 0.01))}
    out["peak_rss_mib"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    if a.truth:
        cl = linker.clustering.cluster_pairwise_predictions_at_threshold(pred, threshold_match_probability=0.95)
        out["accuracy_model_only"] = evaluate(con, pred.physical_name, a.truth, {"p0.95": cl.physical_name})
        extra = {"p0.95": clv.physical_name}
        for w in a.cluster_weight:
            extra["weight_%g" % w] = linker.clustering.cluster_pairwise_predictions_at_threshold(predv, threshold_match_weight=w).physical_name
        out["accuracy_with_veto"] = evaluate(con, "pred_veto", a.truth, extra)
    import importlib.metadata as md
    out["versions"] = {"splink": md.version("splink"), "duckdb": duckdb.__version__, "python": sys.version.split()[0]}
    json.dump(out, sys.stdout, ensure_ascii=False, indent=1)
    print()


if __name__ == "__main__":
    main()
