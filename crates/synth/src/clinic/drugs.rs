/// How a drug is taken: a usage of the JAMI table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Usage {
    /// １日１回朝食後
    Morning,
    /// １日２回朝夕食後
    MorningEvening,
    /// １日３回朝昼夕食後
    ThreeMeals,
    /// １日１回夕食後
    Evening,
    /// １日１回就寝前
    Bedtime,
    /// Once a week on waking.
    Weekly,
    /// When needed, by number of occasions.
    AsNeeded,
    /// Applied to the skin or the eye.
    External,
}

impl Usage {
    /// JAMI usage code of 16 digits and its text.
    pub const fn code(self) -> (&'static str, &'static str) {
        match self {
            Usage::Morning => ("1011000400000000", "内服・経口・１日１回朝食後"),
            Usage::MorningEvening => ("1012040400000000", "内服・経口・１日２回朝夕食後"),
            Usage::ThreeMeals => ("1013044400000000", "内服・経口・１日３回朝昼夕食後"),
            Usage::Evening => ("1011000004000000", "内服・経口・１日１回夕食後"),
            Usage::Bedtime => ("1011000090000000", "内服・経口・１日１回就寝前"),
            Usage::Weekly => ("1011100000000000", "内服・経口・１日１回起床時"),
            Usage::AsNeeded => ("1050110020000000", "内服・経口・疼痛時"),
            Usage::External => ("2B74000000000000", "外用・塗布・１日４回"),
        }
    }

    /// Intakes a day.
    pub const fn times(self) -> u32 {
        match self {
            Usage::MorningEvening => 2,
            Usage::ThreeMeals => 3,
            _ => 1,
        }
    }
}

/// A drug that is prescribed to be taken.
pub struct Drug {
    /// Key inside these tables.
    pub key: &'static str,
    /// Invented number in the form of HOT9.
    pub hot9: &'static str,
    /// Name.
    pub name: &'static str,
    /// Unit, code and name of table MR9P.
    pub unit: (&'static str, &'static str),
    /// Amount an intake.
    pub dose: u32,
    /// Usage.
    pub usage: Usage,
}

/// A drug given by injection.
pub struct Infusion {
    /// Invented number in the form of HOT9.
    pub hot9: &'static str,
    /// Name.
    pub name: &'static str,
    /// Unit.
    pub unit: (&'static str, &'static str),
    /// Whether it is the base of a mixture.
    pub base: bool,
}

const TAB: (&str, &str) = ("TAB", "錠");
const CAP: (&str, &str) = ("CAP", "カプセル");
const PCK: (&str, &str) = ("HOU", "包");
const SHT: (&str, &str) = ("MAI", "枚");
const G: (&str, &str) = ("G", "グラム");
const HON: (&str, &str) = ("HON", "本");
const AMP: (&str, &str) = ("AMP", "アンプル");
const VIA: (&str, &str) = ("VIL", "バイアル");
const BAG: (&str, &str) = ("BAG", "袋");

macro_rules! drugs {
    ($($key:literal $hot:literal $name:literal $unit:ident $dose:literal $usage:ident;)+) => {
        /// Every drug to be taken.
        pub static DRUGS: &[Drug] = &[$(Drug { key: $key, hot9: $hot, name: $name, unit: $unit, dose: $dose, usage: Usage::$usage }),+];
    };
}

drugs! {
    "amlodipine" "190010101" "アムロジピンＯＤ錠５ｍｇ" TAB 1 Morning;
    "olmesartan" "190010201" "オルメサルタンＯＤ錠２０ｍｇ" TAB 1 Morning;
    "candesartan" "190010301" "カンデサルタン錠８ｍｇ" TAB 1 Morning;
    "trichlormethiazide" "190010401" "トリクロルメチアジド錠１ｍｇ" TAB 1 Morning;
    "metformin" "190020101" "メトホルミン塩酸塩錠２５０ｍｇ" TAB 2 MorningEvening;
    "sitagliptin" "190020201" "シタグリプチン錠５０ｍｇ" TAB 1 Morning;
    "empagliflozin" "190020301" "エンパグリフロジン錠１０ｍｇ" TAB 1 Morning;
    "glimepiride" "190020401" "グリメピリド錠１ｍｇ" TAB 1 Morning;
    "rosuvastatin" "190030101" "ロスバスタチン錠２．５ｍｇ" TAB 1 Evening;
    "atorvastatin" "190030201" "アトルバスタチン錠１０ｍｇ" TAB 1 Evening;
    "febuxostat" "190030301" "フェブキソスタット錠２０ｍｇ" TAB 1 Morning;
    "lansoprazole" "190040101" "ランソプラゾールＯＤ錠１５ｍｇ" TAB 1 Evening;
    "vonoprazan" "190040201" "ボノプラザン錠１０ｍｇ" TAB 1 Morning;
    "rebamipide" "190040301" "レバミピド錠１００ｍｇ" TAB 1 ThreeMeals;
    "magnesium" "190040401" "酸化マグネシウム錠３３０ｍｇ" TAB 1 ThreeMeals;
    "sennoside" "190040501" "センノシド錠１２ｍｇ" TAB 2 Bedtime;
    "bifidus" "190040601" "ビフィズス菌製剤散" PCK 1 ThreeMeals;
    "alendronate" "190050101" "アレンドロン酸錠３５ｍｇ" TAB 1 Weekly;
    "alfacalcidol" "190050201" "アルファカルシドールカプセル０．５μｇ" CAP 1 Morning;
    "loxoprofen" "190060101" "ロキソプロフェンＮａ錠６０ｍｇ" TAB 1 ThreeMeals;
    "acetaminophen" "190060201" "アセトアミノフェン錠２００ｍｇ" TAB 2 AsNeeded;
    "celecoxib" "190060301" "セレコキシブ錠１００ｍｇ" TAB 1 MorningEvening;
    "loxtape" "190060401" "ロキソプロフェンＮａテープ１００ｍｇ" SHT 1 External;
    "apixaban" "190070101" "アピキサバン錠５ｍｇ" TAB 1 MorningEvening;
    "warfarin" "190070201" "ワルファリンＫ錠１ｍｇ" TAB 2 Morning;
    "aspirin" "190070301" "アスピリン腸溶錠１００ｍｇ" TAB 1 Morning;
    "clopidogrel" "190070401" "クロピドグレル錠７５ｍｇ" TAB 1 Morning;
    "bisoprolol" "190070501" "ビソプロロールフマル酸塩錠２．５ｍｇ" TAB 1 Morning;
    "furosemide" "190070601" "フロセミド錠２０ｍｇ" TAB 1 Morning;
    "spironolactone" "190070701" "スピロノラクトン錠２５ｍｇ" TAB 1 Morning;
    "nicorandil" "190070801" "ニコランジル錠５ｍｇ" TAB 1 ThreeMeals;
    "budesonide" "190080101" "ブデソニド・ホルモテロール吸入剤" KIT 1 External;
    "montelukast" "190080201" "モンテルカスト錠１０ｍｇ" TAB 1 Bedtime;
    "tiotropium" "190080301" "チオトロピウム吸入液" KIT 1 External;
    "fexofenadine" "190090101" "フェキソフェナジン塩酸塩錠６０ｍｇ" TAB 1 MorningEvening;
    "bilastine" "190090201" "ビラスチン錠２０ｍｇ" TAB 1 Bedtime;
    "ambroxol" "190090301" "アンブロキソール塩酸塩錠１５ｍｇ" TAB 1 ThreeMeals;
    "dextromethorphan" "190090401" "デキストロメトルファン錠１５ｍｇ" TAB 1 ThreeMeals;
    "amoxicillin" "190100101" "アモキシシリンカプセル２５０ｍｇ" CAP 1 ThreeMeals;
    "clarithromycin" "190100201" "クラリスロマイシン錠２００ｍｇ" TAB 1 MorningEvening;
    "levofloxacin" "190100301" "レボフロキサシン錠５００ｍｇ" TAB 1 Morning;
    "cefcapene" "190100401" "セフカペンピボキシル塩酸塩錠１００ｍｇ" TAB 1 ThreeMeals;
    "oseltamivir" "190100501" "オセルタミビルカプセル７５ｍｇ" CAP 1 MorningEvening;
    "valaciclovir" "190100601" "バラシクロビル錠５００ｍｇ" TAB 2 ThreeMeals;
    "zolpidem" "190110101" "ゾルピデム酒石酸塩錠５ｍｇ" TAB 1 Bedtime;
    "lemborexant" "190110201" "レンボレキサント錠５ｍｇ" TAB 1 Bedtime;
    "sertraline" "190110301" "セルトラリン錠２５ｍｇ" TAB 1 Evening;
    "risperidone" "190110401" "リスペリドン錠１ｍｇ" TAB 1 MorningEvening;
    "donepezil" "190110501" "ドネペジル塩酸塩ＯＤ錠５ｍｇ" TAB 1 Morning;
    "levodopa" "190110601" "レボドパ・カルビドパ配合錠" TAB 1 ThreeMeals;
    "valproate" "190110701" "バルプロ酸Ｎａ徐放錠２００ｍｇ" TAB 2 MorningEvening;
    "sumatriptan" "190110801" "スマトリプタン錠５０ｍｇ" TAB 1 AsNeeded;
    "tamsulosin" "190120101" "タムスロシン塩酸塩ＯＤ錠０．２ｍｇ" TAB 1 Morning;
    "bicalutamide" "190120201" "ビカルタミド錠８０ｍｇ" TAB 1 Morning;
    "anastrozole" "190120301" "アナストロゾール錠１ｍｇ" TAB 1 Morning;
    "capecitabine" "190120401" "カペシタビン錠３００ｍｇ" TAB 4 MorningEvening;
    "entecavir" "190120501" "エンテカビル錠０．５ｍｇ" TAB 1 Bedtime;
    "ursodiol" "190120601" "ウルソデオキシコール酸錠１００ｍｇ" TAB 1 ThreeMeals;
    "methotrexate" "190130101" "メトトレキサートカプセル２ｍｇ" CAP 2 Weekly;
    "prednisolone" "190130201" "プレドニゾロン錠５ｍｇ" TAB 1 Morning;
    "mesalazine" "190130301" "メサラジン錠４００ｍｇ" TAB 3 ThreeMeals;
    "levothyroxine" "190140101" "レボチロキシンＮａ錠５０μｇ" TAB 1 Morning;
    "thiamazole" "190140201" "チアマゾール錠５ｍｇ" TAB 2 Morning;
    "ferrous" "190140301" "クエン酸第一鉄Ｎａ錠５０ｍｇ" TAB 1 MorningEvening;
    "heparinoid" "190150101" "ヘパリン類似物質油性クリーム０．３％" G 25 External;
    "betamethasone" "190150201" "ベタメタゾン吉草酸エステル軟膏０．１２％" G 10 External;
    "latanoprost" "190150301" "ラタノプロスト点眼液０．００５％" HON 1 External;
    "ritodrine" "190160101" "リトドリン塩酸塩錠５ｍｇ" TAB 1 ThreeMeals;
}

const KIT: (&str, &str) = ("KIT", "キット");

/// Every drug to be injected.
pub static INFUSIONS: &[Infusion] = &[
    Infusion { hot9: "191010101", name: "維持液（３号液）５００ｍＬ", unit: BAG, base: true },
    Infusion { hot9: "191010201", name: "生理食塩液１００ｍＬ", unit: HON, base: true },
    Infusion { hot9: "191010301", name: "酢酸リンゲル液５００ｍＬ", unit: BAG, base: true },
    Infusion { hot9: "191020101", name: "セフトリアキソンＮａ静注用１ｇ", unit: VIA, base: false },
    Infusion { hot9: "191020201", name: "セファゾリンＮａ注射用１ｇ", unit: VIA, base: false },
    Infusion { hot9: "191030101", name: "フロセミド注２０ｍｇ", unit: AMP, base: false },
    Infusion { hot9: "191030201", name: "メトクロプラミド注１０ｍｇ", unit: AMP, base: false },
    Infusion { hot9: "191030301", name: "アセトアミノフェン静注液１０００ｍｇ", unit: BAG, base: true },
    Infusion { hot9: "191030401", name: "カルバゾクロム注５０ｍｇ", unit: AMP, base: false },
];

/// The drug of a key; the first one for a key that does not exist, which a test excludes.
pub fn drug(key: &str) -> &'static Drug {
    DRUGS.iter().find(|d| d.key == key).unwrap_or(&DRUGS[0])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_drug_number_has_the_form_of_hot9_and_is_used_once() {
        let mut seen = std::collections::HashSet::new();
        for number in DRUGS.iter().map(|d| d.hot9).chain(INFUSIONS.iter().map(|i| i.hot9)) {
            assert!(number.len() == 9 && number.starts_with("19") && seen.insert(number), "{number}");
        }
    }
}
