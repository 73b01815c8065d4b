/// What a test is ordered as part of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Panel {
    /// 生化学
    Chemistry,
    /// 脂質
    Lipids,
    /// 血算
    Blood,
    /// 糖代謝
    Glucose,
    /// 炎症
    Inflammation,
    /// 尿一般
    Urine,
    /// 凝固
    Coagulation,
    /// 内分泌
    Thyroid,
    /// 腫瘍マーカー
    Tumour,
    /// 心不全
    Cardiac,
    /// 感染症
    Infection,
    /// 鉄
    Iron,
}

impl Panel {
    /// Code and name of the order, in a local table.
    pub const fn order(self) -> (&'static str, &'static str) {
        match self {
            Panel::Chemistry | Panel::Lipids | Panel::Inflammation | Panel::Cardiac | Panel::Iron => ("E002", "生化学的検査"),
            Panel::Blood | Panel::Glucose | Panel::Coagulation => ("E001", "血液学的検査"),
            Panel::Urine => ("E003", "尿・糞便等検査"),
            Panel::Thyroid | Panel::Tumour => ("E005", "内分泌・腫瘍マーカー検査"),
            Panel::Infection => ("E006", "免疫血清学的検査"),
        }
    }
}

/// The material of a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Specimen {
    /// 血清
    Serum,
    /// 全血(添加物入り)
    WholeBlood,
    /// 血漿
    Plasma,
    /// 尿
    Urine,
}

impl Specimen {
    /// JLAC10 material code and name.
    pub const fn code(self) -> (&'static str, &'static str) {
        match self {
            Specimen::Serum => ("023", "血清"),
            Specimen::WholeBlood => ("019", "全血(添加物入り)"),
            Specimen::Plasma => ("022", "血漿"),
            Specimen::Urine => ("001", "尿"),
        }
    }
}

/// What a result looks like.
#[derive(Debug, Clone, Copy)]
pub enum Value {
    /// A number: mean of men, mean of women, deviation between people, digits after the point; below `floor` it is
    /// reported as "less than".
    Number {
        /// Mean of men.
        men: f64,
        /// Mean of women.
        women: f64,
        /// Deviation.
        spread: f64,
        /// Digits after the point.
        digits: usize,
        /// Smallest value that is reported as a number.
        floor: f64,
    },
    /// Positive with this probability.
    Sign(f64),
    /// Graded (-), (±), (1+) …, positive with this probability.
    Grade(f64),
}

/// A laboratory test.
pub struct Lab {
    /// Short key inside these tables.
    pub key: &'static str,
    /// Name.
    pub name: &'static str,
    /// JLAC10, 17 characters.
    pub jlac10: &'static str,
    /// Part of.
    pub panel: Panel,
    /// Material.
    pub specimen: Specimen,
    /// Unit as MEDIS writes it with mark ISO+, and as people write it.
    pub unit: (&'static str, &'static str),
    /// Reference range of men and of women; empty where there is none.
    pub range: (&'static str, &'static str),
    /// Results.
    pub value: Value,
}

const fn num(men: f64, women: f64, spread: f64, digits: usize) -> Value {
    Value::Number { men, women, spread, digits, floor: 0.0 }
}

const fn low(mean: f64, spread: f64, digits: usize, floor: f64) -> Value {
    Value::Number { men: mean, women: mean, spread, digits, floor }
}

macro_rules! labs {
    ($($key:literal $name:literal $jlac:literal $panel:ident $spec:ident $unit:literal $shown:literal $men:literal $women:literal $value:expr;)+) => {
        /// Every test there is.
        pub static LABS: &[Lab] = &[$(Lab {
            key: $key, name: $name, jlac10: $jlac, panel: Panel::$panel, specimen: Specimen::$spec,
            unit: ($unit, $shown), range: ($men, $women), value: $value,
        }),+];
    };
}

labs! {
    "TP" "総蛋白" "3A010000002327101" Chemistry Serum "g/dL" "g/dL" "6.6-8.1" "6.6-8.1" num(7.2, 7.2, 0.4, 1);
    "ALB" "アルブミン" "3A015000002327101" Chemistry Serum "g/dL" "g/dL" "4.1-5.1" "4.1-5.1" num(4.3, 4.2, 0.35, 1);
    "AST" "ＡＳＴ" "3B035000002327201" Chemistry Serum "U/L" "U/L" "13-30" "13-30" num(25.0, 22.0, 8.0, 0);
    "ALT" "ＡＬＴ" "3B045000002327201" Chemistry Serum "U/L" "U/L" "10-42" "7-23" num(26.0, 19.0, 11.0, 0);
    "GGT" "γ−ＧＴ" "3B090000002327101" Chemistry Serum "U/L" "U/L" "13-64" "9-32" num(42.0, 24.0, 22.0, 0);
    "LDH" "ＬＤ" "3B050000002327201" Chemistry Serum "U/L" "U/L" "124-222" "124-222" num(186.0, 186.0, 28.0, 0);
    "ALP" "ＡＬＰ" "3B070000002327101" Chemistry Serum "U/L" "U/L" "38-113" "38-113" num(72.0, 72.0, 18.0, 0);
    "TBIL" "総ビリルビン" "3J010000002327101" Chemistry Serum "mg/dL" "mg/dL" "0.4-1.5" "0.4-1.5" num(0.8, 0.7, 0.25, 1);
    "BUN" "尿素窒素" "3C025000002327101" Chemistry Serum "mg/dL" "mg/dL" "8-20" "8-20" num(15.0, 14.0, 3.5, 1);
    "CRE" "クレアチニン" "3C015000002327101" Chemistry Serum "mg/dL" "mg/dL" "0.65-1.07" "0.46-0.79" num(0.88, 0.66, 0.14, 2);
    "UA" "尿酸" "3C020000002327101" Chemistry Serum "mg/dL" "mg/dL" "3.7-7.8" "2.6-5.5" num(5.9, 4.5, 1.1, 1);
    "NA" "ナトリウム" "3H010000002326101" Chemistry Serum "mmol/L" "mmol/L" "138-145" "138-145" num(140.5, 140.5, 1.9, 0);
    "K" "カリウム" "3H015000002326101" Chemistry Serum "mmol/L" "mmol/L" "3.6-4.8" "3.6-4.8" num(4.2, 4.2, 0.33, 1);
    "CL" "クロール" "3H020000002326101" Chemistry Serum "mmol/L" "mmol/L" "101-108" "101-108" num(104.0, 104.0, 2.1, 0);
    "CA" "カルシウム" "3H030000002327101" Chemistry Serum "mg/dL" "mg/dL" "8.8-10.1" "8.8-10.1" num(9.3, 9.3, 0.35, 1);
    "CK" "ＣＫ" "3B010000002327101" Chemistry Serum "U/L" "U/L" "59-248" "41-153" num(120.0, 88.0, 38.0, 0);
    "TC" "総コレステロール" "3F050000002327101" Lipids Serum "mg/dL" "mg/dL" "142-248" "142-248" num(196.0, 204.0, 28.0, 0);
    "TG" "中性脂肪" "3F015000002327101" Lipids Serum "mg/dL" "mg/dL" "40-234" "30-117" num(125.0, 98.0, 45.0, 0);
    "HDL" "ＨＤＬ−コレステロール" "3F070000002327101" Lipids Serum "mg/dL" "mg/dL" "38-90" "48-103" num(55.0, 65.0, 12.0, 0);
    "LDL" "ＬＤＬ−コレステロール" "3F077000002327101" Lipids Serum "mg/dL" "mg/dL" "65-163" "65-163" num(116.0, 118.0, 26.0, 0);
    "WBC" "白血球数" "2A010000001930101" Blood WholeBlood ".10*3/uL" "×10＾3/μL" "3.3-8.6" "3.3-8.6" num(6.0, 5.8, 1.4, 1);
    "RBC" "赤血球数" "2A020000001930101" Blood WholeBlood ".10*6/uL" "×10＾6/μL" "4.35-5.55" "3.86-4.92" num(4.75, 4.35, 0.38, 2);
    "HB" "ヘモグロビン" "2A030000001930101" Blood WholeBlood "g/dL" "g/dL" "13.7-16.8" "11.6-14.8" num(14.6, 13.0, 1.2, 1);
    "HT" "ヘマトクリット" "2A040000001930102" Blood WholeBlood "%" "％" "40.7-50.1" "35.1-44.4" num(43.8, 39.4, 3.1, 1);
    "PLT" "血小板数" "2A050000001930101" Blood WholeBlood ".10*3/uL" "×10＾3/μL" "158-348" "158-348" num(232.0, 240.0, 50.0, 0);
    "MCV" "ＭＣＶ" "2A060000001930101" Blood WholeBlood "fL" "fL" "83.6-98.2" "83.6-98.2" num(92.0, 91.0, 4.0, 1);
    "NEUT" "好中球" "2A990000001930151" Blood WholeBlood "%" "％" "" "" num(58.0, 57.0, 9.0, 1);
    "LYMP" "リンパ球" "2A990000001930154" Blood WholeBlood "%" "％" "" "" num(31.0, 32.0, 7.5, 1);
    "GLU" "グルコース" "3D010000002227101" Glucose Plasma "mg/dL" "mg/dL" "73-109" "73-109" num(101.0, 98.0, 12.0, 0);
    "A1C" "ＨｂＡ１ｃ（ＮＧＳＰ）" "3D046000001906202" Glucose WholeBlood "%" "％" "4.9-6.0" "4.9-6.0" num(5.7, 5.6, 0.3, 1);
    "CRP" "ＣＲＰ" "5C070000002306201" Inflammation Serum "mg/dL" "mg/dL" "0.00-0.14" "0.00-0.14" low(0.12, 0.14, 2, 0.05);
    "UPRO" "尿蛋白定性" "1A010000000190111" Urine Urine "" "" "(-)" "(-)" Value::Grade(0.12);
    "UGLU" "尿糖定性" "1A020000000190111" Urine Urine "" "" "(-)" "(-)" Value::Grade(0.08);
    "UOB" "尿潜血反応" "1A100000000190111" Urine Urine "" "" "(-)" "(-)" Value::Grade(0.10);
    "USG" "尿比重" "1A030000000190101" Urine Urine "" "" "1.005-1.030" "1.005-1.030" num(1.016, 1.016, 0.005, 3);
    "INR" "ＰＴ−ＩＮＲ" "2B030000002231157" Coagulation Plasma "" "" "0.90-1.10" "0.90-1.10" num(1.02, 1.02, 0.07, 2);
    "APTT" "ＡＰＴＴ" "2B020000002231151" Coagulation Plasma "s" "秒" "24.0-39.0" "24.0-39.0" num(31.0, 31.0, 3.2, 1);
    "DD" "Ｄダイマー" "2B140000002206201" Coagulation Plasma "ug/mL" "μg/mL" "0.0-1.0" "0.0-1.0" low(0.7, 0.5, 1, 0.5);
    "TSH" "ＴＳＨ" "4A055000002302301" Thyroid Serum "u[IU]/mL" "μIU/mL" "0.50-5.00" "0.50-5.00" num(1.9, 2.1, 0.9, 2);
    "FT4" "遊離Ｔ４" "4B035000002302301" Thyroid Serum "ng/dL" "ng/dL" "0.90-1.70" "0.90-1.70" num(1.25, 1.22, 0.16, 2);
    "CEA" "ＣＥＡ" "5D010000002302301" Tumour Serum "ng/mL" "ng/mL" "0.0-5.0" "0.0-5.0" low(2.2, 1.1, 1, 0.5);
    "CA199" "ＣＡ１９−９" "5D130000002302301" Tumour Serum "U/mL" "U/mL" "0-37" "0-37" low(12.0, 8.0, 0, 2.0);
    "PSA" "ＰＳＡ" "5D305000002302301" Tumour Serum "ng/mL" "ng/mL" "0.000-4.000" "" low(1.6, 1.0, 3, 0.01);
    "BNP" "ＢＮＰ" "4Z271000002205101" Cardiac Plasma "pg/mL" "pg/mL" "0.0-18.4" "0.0-18.4" low(14.0, 9.0, 1, 4.0);
    "HBS" "ＨＢｓ抗原" "5F016000002302311" Infection Serum "" "" "(-)" "(-)" Value::Sign(0.01);
    "HCV" "ＨＣＶ抗体" "5F360000002302311" Infection Serum "" "" "(-)" "(-)" Value::Sign(0.015);
    "TPA" "梅毒トレポネーマ抗体" "5E075000002302311" Infection Serum "" "" "(-)" "(-)" Value::Sign(0.006);
    "FE" "鉄" "3I010000002327101" Iron Serum "ug/dL" "μg/dL" "40-188" "40-188" num(108.0, 95.0, 30.0, 0);
    "FER" "フェリチン" "5C095000002302301" Iron Serum "ng/mL" "ng/mL" "39.4-340" "3.6-114" num(140.0, 48.0, 30.0, 1);
    "INS" "インスリン" "4G010000002302301" Glucose Serum "u[IU]/mL" "μIU/mL" "1.8-12.2" "1.8-12.2" num(6.0, 5.8, 2.4, 1);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_test_has_a_code_of_seventeen_characters_that_names_its_material() {
        let mut seen = std::collections::HashSet::new();
        for lab in LABS {
            assert!(lab.jlac10.len() == 17 && lab.jlac10.is_ascii(), "{}", lab.key);
            assert!(seen.insert(lab.jlac10) && seen.insert(lab.key), "{} twice", lab.key);
            assert_eq!(&lab.jlac10[9..12], lab.specimen.code().0, "{}", lab.key);
        }
    }
}
