use super::labs::Panel::{self, *};

/// Suffix modifier の疑い.
pub const MODIFIER_SUSPECTED: &str = "8002";

/// A disease with who gets it and what follows.
pub struct Disease {
    /// Name.
    pub name: &'static str,
    /// ICD-10 without the dot.
    pub icd: &'static str,
    /// `M`, `F` or `A` for all.
    pub sex: char,
    /// Ages in years.
    pub ages: (i32, i32),
    /// Share of the people of those ages that have it, or get it within three years.
    pub share: f64,
    /// Whether it stays.
    pub chronic: bool,
    /// Place of the department in `provider::DEPARTMENTS`.
    pub department: usize,
    /// Drugs that are chosen from.
    pub drugs: &'static [&'static str],
    /// What is measured.
    pub panels: &'static [Panel],
    /// Chance of an admission within three years.
    pub admission: f64,
    /// Results that it moves, and by how much.
    pub shifts: &'static [(&'static str, f64)],
}

impl Disease {
    /// Management number (8 digits) and exchange code (4 characters) in the form of the MEDIS master, invented.
    pub fn numbers(&self) -> (String, String) {
        let at = DISEASES.iter().position(|d| std::ptr::eq(d, self)).unwrap_or(0);
        let letter = |n: usize| char::from(b'A' + (n % 26) as u8);
        (format!("2099{:04}", 1000 + at * 37), format!("Z{}{}{}", letter(at / 26), letter(at), letter(at * 7)))
    }

    /// The disease with のsuspicion, as it stands on a billing list.
    pub fn suspected_name(&self) -> String {
        format!("{}の疑い", self.name)
    }
}

macro_rules! diseases {
    ($($name:literal $icd:literal $sex:literal $lo:literal..$hi:literal $share:literal $kind:ident $dep:literal
       [$($drug:literal),*] [$($panel:ident),*] $adm:literal {$($lab:literal * $by:literal),*};)+) => {
        /// Every disease there is.
        pub static DISEASES: &[Disease] = &[$(Disease {
            name: $name, icd: $icd, sex: $sex, ages: ($lo, $hi), share: $share, chronic: $kind, department: $dep,
            drugs: &[$($drug),*], panels: &[$($panel),*], admission: $adm, shifts: &[$(($lab, $by)),*],
        }),+];
    };
}

const CHRONIC: bool = true;
const ACUTE: bool = false;

diseases! {
    "高血圧症" "I10" 'A' 40..110 0.34 CHRONIC 0 ["amlodipine", "olmesartan", "candesartan", "trichlormethiazide"] [Chemistry, Lipids] 0.01 {};
    "２型糖尿病" "E119" 'A' 40..110 0.12 CHRONIC 0 ["metformin", "sitagliptin", "empagliflozin", "glimepiride"] [Glucose, Chemistry, Lipids, Urine] 0.05 {"A1C" * 1.28, "GLU" * 1.5, "TG" * 1.2, "INS" * 1.4};
    "脂質異常症" "E785" 'A' 35..110 0.22 CHRONIC 0 ["rosuvastatin", "atorvastatin"] [Lipids, Chemistry] 0.0 {"LDL" * 1.15, "TC" * 1.12, "TG" * 1.25};
    "高尿酸血症" "E790" 'M' 30..100 0.09 CHRONIC 0 ["febuxostat"] [Chemistry] 0.0 {"UA" * 1.25};
    "逆流性食道炎" "K210" 'A' 30..100 0.08 CHRONIC 2 ["vonoprazan", "lansoprazole"] [Chemistry] 0.0 {};
    "慢性胃炎" "K295" 'A' 30..100 0.10 CHRONIC 2 ["rebamipide", "lansoprazole"] [Chemistry, Blood] 0.0 {};
    "便秘症" "K590" 'A' 55..110 0.10 CHRONIC 0 ["magnesium", "sennoside"] [] 0.0 {};
    "骨粗鬆症" "M819" 'F' 60..110 0.20 CHRONIC 4 ["alendronate", "alfacalcidol"] [Chemistry] 0.0 {};
    "変形性膝関節症" "M179" 'A' 58..105 0.11 CHRONIC 4 ["loxtape", "celecoxib", "rebamipide"] [] 0.05 {};
    "腰痛症" "M545" 'A' 25..100 0.10 CHRONIC 4 ["loxtape", "loxoprofen"] [] 0.0 {};
    "心房細動" "I489" 'A' 60..110 0.05 CHRONIC 1 ["apixaban", "warfarin", "bisoprolol"] [Coagulation, Chemistry, Cardiac] 0.10 {"BNP" * 5.0};
    "慢性心不全" "I509" 'A' 68..110 0.06 CHRONIC 1 ["furosemide", "spironolactone", "bisoprolol"] [Cardiac, Chemistry, Blood] 0.35 {"BNP" * 16.0, "CRE" * 1.2};
    "狭心症" "I209" 'A' 55..100 0.04 CHRONIC 1 ["aspirin", "nicorandil", "bisoprolol"] [Chemistry, Lipids] 0.18 {};
    "陳旧性心筋梗塞" "I252" 'A' 55..100 0.015 CHRONIC 1 ["aspirin", "clopidogrel", "bisoprolol"] [Chemistry, Lipids, Cardiac] 0.10 {"BNP" * 4.0};
    "脳梗塞" "I639" 'A' 60..110 0.03 CHRONIC 5 ["clopidogrel", "aspirin"] [Chemistry, Lipids, Coagulation] 0.45 {};
    "慢性腎臓病" "N189" 'A' 60..110 0.06 CHRONIC 0 ["furosemide", "candesartan"] [Chemistry, Blood, Urine] 0.08 {"CRE" * 1.9, "BUN" * 1.7, "K" * 1.08, "HB" * 0.88};
    "気管支喘息" "J459" 'A' 3..90 0.045 CHRONIC 6 ["budesonide", "montelukast"] [Blood] 0.04 {};
    "慢性閉塞性肺疾患" "J449" 'M' 60..100 0.05 CHRONIC 6 ["tiotropium", "ambroxol"] [Blood, Inflammation] 0.15 {};
    "アレルギー性鼻炎" "J304" 'A' 4..70 0.09 CHRONIC 8 ["bilastine", "fexofenadine"] [] 0.0 {};
    "不眠症" "G470" 'A' 30..105 0.09 CHRONIC 0 ["zolpidem", "lemborexant"] [] 0.0 {};
    "うつ病" "F329" 'A' 18..85 0.03 CHRONIC 9 ["sertraline", "lemborexant"] [] 0.03 {};
    "統合失調症" "F209" 'A' 20..80 0.008 CHRONIC 9 ["risperidone"] [Chemistry, Glucose] 0.15 {};
    "アルツハイマー型認知症" "G309" 'A' 75..110 0.10 CHRONIC 5 ["donepezil"] [Chemistry] 0.05 {};
    "パーキンソン病" "G20" 'A' 62..100 0.012 CHRONIC 5 ["levodopa", "magnesium"] [] 0.10 {};
    "前立腺肥大症" "N40" 'M' 58..110 0.16 CHRONIC 7 ["tamsulosin"] [Tumour, Urine] 0.02 {};
    "前立腺癌" "C61" 'M' 62..100 0.025 CHRONIC 7 ["bicalutamide"] [Tumour, Chemistry, Blood] 0.40 {"PSA" * 9.0};
    "乳癌" "C509" 'F' 38..95 0.02 CHRONIC 3 ["anastrozole"] [Tumour, Chemistry, Blood] 0.50 {"CEA" * 1.6};
    "胃癌" "C169" 'A' 55..100 0.012 CHRONIC 3 ["capecitabine", "lansoprazole"] [Tumour, Chemistry, Blood] 0.70 {"CEA" * 3.0, "HB" * 0.82};
    "結腸癌" "C189" 'A' 50..100 0.013 CHRONIC 3 ["capecitabine"] [Tumour, Chemistry, Blood] 0.70 {"CEA" * 4.0, "HB" * 0.84};
    "肺癌" "C349" 'A' 55..95 0.010 CHRONIC 6 ["prednisolone"] [Tumour, Chemistry, Blood] 0.65 {"CEA" * 4.0, "CRP" * 6.0};
    "肝細胞癌" "C220" 'A' 60..95 0.003 CHRONIC 2 ["ursodiol"] [Tumour, Chemistry, Coagulation] 0.60 {"AST" * 2.2, "ALT" * 1.9, "PLT" * 0.55};
    "Ｂ型慢性肝炎" "B181" 'A' 35..85 0.007 CHRONIC 2 ["entecavir"] [Chemistry, Infection] 0.02 {"AST" * 1.3, "ALT" * 1.4};
    "Ｃ型慢性肝炎" "B182" 'A' 45..95 0.007 CHRONIC 2 ["ursodiol"] [Chemistry, Infection] 0.02 {"AST" * 1.6, "ALT" * 1.6};
    "脂肪肝" "K760" 'A' 28..80 0.06 CHRONIC 2 [] [Chemistry, Lipids] 0.0 {"ALT" * 1.9, "GGT" * 1.8};
    "関節リウマチ" "M069" 'F' 35..95 0.012 CHRONIC 4 ["methotrexate", "prednisolone", "loxoprofen"] [Inflammation, Chemistry, Blood] 0.06 {"CRP" * 8.0};
    "甲状腺機能低下症" "E039" 'F' 30..100 0.03 CHRONIC 0 ["levothyroxine"] [Thyroid] 0.0 {"TSH" * 3.0, "FT4" * 0.75};
    "バセドウ病" "E050" 'F' 20..70 0.007 CHRONIC 0 ["thiamazole"] [Thyroid, Blood] 0.02 {"TSH" * 0.05, "FT4" * 1.9};
    "鉄欠乏性貧血" "D509" 'F' 14..55 0.05 CHRONIC 0 ["ferrous"] [Blood, Iron] 0.0 {"HB" * 0.76, "MCV" * 0.84, "FER" * 0.15, "FE" * 0.4};
    "アトピー性皮膚炎" "L209" 'A' 0..45 0.06 CHRONIC 10 ["heparinoid", "betamethasone", "fexofenadine"] [] 0.0 {};
    "開放隅角緑内障" "H401" 'A' 48..100 0.05 CHRONIC 11 ["latanoprost"] [] 0.0 {};
    "加齢性白内障" "H259" 'A' 63..105 0.10 CHRONIC 11 [] [Chemistry, Infection] 0.25 {};
    "てんかん" "G409" 'A' 1..80 0.008 CHRONIC 5 ["valproate"] [Chemistry, Blood] 0.08 {};
    "片頭痛" "G439" 'F' 15..58 0.03 CHRONIC 5 ["sumatriptan"] [] 0.0 {};
    "全身性エリテマトーデス" "M329" 'F' 18..70 0.0012 CHRONIC 0 ["prednisolone"] [Inflammation, Chemistry, Blood, Urine] 0.20 {};
    "重症筋無力症" "G700" 'A' 20..85 0.0004 CHRONIC 5 ["prednisolone"] [Chemistry] 0.25 {};
    "潰瘍性大腸炎" "K519" 'A' 15..75 0.003 CHRONIC 2 ["mesalazine"] [Inflammation, Blood] 0.15 {"CRP" * 5.0};
    "クローン病" "K509" 'A' 12..55 0.0012 CHRONIC 2 ["mesalazine", "prednisolone"] [Inflammation, Blood, Iron] 0.30 {"CRP" * 9.0};
    "膵島細胞腫" "D137" 'A' 15..85 0.0002 CHRONIC 3 [] [Glucose, Chemistry] 0.60 {"INS" * 4.0, "GLU" * 0.6};
    "急性上気道炎" "J069" 'A' 0..100 0.30 ACUTE 0 ["dextromethorphan", "acetaminophen", "ambroxol"] [] 0.0 {};
    "インフルエンザＡ型" "J101" 'A' 0..90 0.14 ACUTE 0 ["oseltamivir", "acetaminophen"] [] 0.01 {};
    "ＣＯＶＩＤ－１９" "U071" 'A' 0..100 0.14 ACUTE 0 ["acetaminophen", "dextromethorphan"] [Inflammation, Blood] 0.05 {"CRP" * 12.0};
    "急性気管支炎" "J209" 'A' 0..100 0.12 ACUTE 6 ["clarithromycin", "ambroxol"] [Inflammation, Blood] 0.0 {"CRP" * 14.0};
    "急性胃腸炎" "A099" 'A' 0..95 0.12 ACUTE 2 ["bifidus"] [Inflammation, Chemistry] 0.02 {"CRP" * 8.0};
    "肺炎" "J189" 'A' 65..110 0.09 ACUTE 6 ["levofloxacin"] [Inflammation, Blood, Chemistry] 0.75 {"CRP" * 60.0, "WBC" * 2.0, "ALB" * 0.8};
    "膀胱炎" "N300" 'F' 15..95 0.10 ACUTE 7 ["cefcapene"] [Urine] 0.0 {};
    "尿路感染症" "N390" 'A' 65..110 0.05 ACUTE 7 ["levofloxacin"] [Urine, Inflammation, Blood] 0.4 {"CRP" * 40.0, "WBC" * 1.8};
    "大腿骨頚部骨折" "S7200" 'F' 72..110 0.03 ACUTE 4 ["loxoprofen"] [Blood, Chemistry, Coagulation] 1.0 {"HB" * 0.8, "DD" * 12.0};
    "橈骨遠位端骨折" "S5250" 'A' 5..95 0.02 ACUTE 4 ["loxoprofen", "rebamipide"] [] 0.15 {};
    "急性虫垂炎" "K358" 'A' 6..70 0.008 ACUTE 3 ["cefcapene"] [Inflammation, Blood, Chemistry] 0.9 {"CRP" * 50.0, "WBC" * 2.2};
    "胆石症" "K802" 'A' 35..95 0.02 ACUTE 3 ["ursodiol"] [Chemistry, Inflammation] 0.45 {"ALP" * 1.8, "TBIL" * 2.2};
    "帯状疱疹" "B029" 'A' 40..100 0.03 ACUTE 10 ["valaciclovir", "acetaminophen"] [] 0.03 {};
    "蕁麻疹" "L509" 'A' 2..90 0.06 ACUTE 10 ["bilastine"] [] 0.0 {};
    "急性中耳炎" "H669" 'A' 0..9 0.20 ACUTE 8 ["amoxicillin"] [] 0.0 {};
    "手足口病" "B084" 'A' 0..7 0.16 ACUTE 12 ["acetaminophen"] [] 0.0 {};
    "熱性痙攣" "R560" 'A' 0..6 0.04 ACUTE 12 ["acetaminophen"] [Inflammation, Blood, Chemistry] 0.4 {"CRP" * 6.0};
    "正常妊娠" "Z349" 'F' 22..41 0.10 ACUTE 13 [] [Blood, Infection, Urine] 0.7 {};
    "切迫早産" "O600" 'F' 22..41 0.02 ACUTE 13 ["ritodrine"] [Blood, Urine] 0.8 {};
}

/// The disease of an ICD-10 code; the first one for a code that is not here.
pub fn disease(icd: &str) -> &'static Disease {
    DISEASES.iter().find(|d| d.icd == icd).unwrap_or(&DISEASES[0])
}

#[cfg(test)]
mod tests {
    use super::super::drugs::DRUGS;
    use super::super::labs::LABS;
    use super::*;

    #[test]
    fn every_disease_refers_to_drugs_and_tests_that_exist() {
        let mut numbers = std::collections::HashSet::new();
        for d in DISEASES {
            assert!(d.drugs.iter().all(|key| DRUGS.iter().any(|x| x.key == *key)), "{}", d.name);
            assert!(d.shifts.iter().all(|(key, _)| LABS.iter().any(|x| x.key == *key)), "{}", d.name);
            let (number, exchange) = d.numbers();
            assert!(number.len() == 8 && exchange.len() == 4 && numbers.insert(number) && numbers.insert(exchange), "{}", d.name);
        }
    }
}
