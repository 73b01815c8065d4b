//! OMG: radiology, endoscopy, electrocardiogram; orders and what was done.

use std::io;

use super::{Chart, Place};
use crate::day::Moment;
use crate::facts::Act;

/// A kind of examination.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Examination {
    /// Chest X-ray.
    Chest,
    /// Upper endoscopy.
    Endoscopy,
    /// 12-lead electrocardiogram.
    Heart,
}

impl Chart<'_> {
    /// An order with what was done at once; the order is kept by some systems only.
    pub fn examine(&mut self, at: Moment, place: &Place, what: Examination, finding: &str) -> io::Result<()> {
        self.note(at, place, Act::Examination(what));
        let order = self.order();
        let date = Some(at.day());
        let (order_type, done_type, item) = match what {
            Examination::Chest => ("OMG-01", "OMG-11", "1000000000000000^Ｘ線単純撮影^JJ1017"),
            Examination::Endoscopy => ("OMG-02", "OMG-12", "11000000000^検査.上部.-.-.-.-^LENDO"),
            Examination::Heart => ("OMG-03", "OMG-13", "9A110^標準１２誘導心電図^JC10"),
        };
        let sent = self.soon(at, 9);
        if self.dice.chance(0.3) {
            self.begin("OMG^O19^OMG_O19", sent, None);
            self.pv1(place, &[]);
            self.orc("NW", order, None, at, place, "");
            self.message.segment("TQ1").put(1, "1").put(9, "R^^HL70485");
            let doctor = self.doctor(place.department);
            self.message.segment("OBR").fmt(2, format_args!("{order:015}")).put(4, item).put(16, doctor);
            if what == Examination::Endoscopy {
                self.message
                    .segment("OBX")
                    .put(1, "1")
                    .put(2, "TX")
                    .put(3, "MS3-04^内視鏡検査理由^JSHR")
                    .put(5, "胃癌疑いの精査。\\.br\\前回\\T\\今回の比較希望")
                    .put(11, "F");
            }
            self.file(order_type, date, Some(order), sent, place.department, '1')?;
        }
        let done = self.soon(sent, 60);
        let reported = self.soon(done, 30);
        let kind = if what == Examination::Heart { "ORU^R01^ORU_R01" } else { "OMI^Z23^OMI_Z23" };
        self.begin(kind, reported, None);
        self.pv1(place, &[]);
        let doctor = self.doctor(place.department);
        if what != Examination::Heart {
            self.orc("NW", order, None, at, place, "");
            self.message.segment("TQ1").put(1, "1").put(9, "R^^HL70485");
        }
        self.message
            .segment("OBR")
            .put(1, "1")
            .fmt(2, format_args!("{order:015}"))
            .put(4, item)
            .fmt(7, format_args!("{}", done.digits(8)))
            .put(16, doctor)
            .fmt(22, format_args!("{}", reported.digits(14)))
            .put(25, "F");
        let number = 2_000_000_000_u64 + self.patient.serial * 100 + order % 100;
        // An example root that no manufacturer has.
        let study = format!("1.2.392.999999.1.{}.{number}", done.digits(8));
        match what {
            Examination::Chest => {
                self.message
                    .segment("ZE1")
                    .put(1, "1")
                    .put(2, "RS")
                    .put(3, "10000002000102000000010000000000^胸部.Ｘ線単純撮影.立位正面(P→A)^JJ1017")
                    .put(4, "1");
                self.message.segment("ZE2").put(1, "1").put(2, "120&kV").put(3, "200&mA").put(4, "150&cm").put(5, "0.02&sec");
                self.message.segment("IPC").fmt(1, format_args!("A{number}")).put(3, &study).put(5, "CR^^DCM");
            }
            Examination::Endoscopy => {
                self.message
                    .segment("OBX")
                    .put(1, "1")
                    .put(2, "TX")
                    .put(3, "MS3-44^内視鏡診断^JSHR")
                    .put(5, finding)
                    .put(11, "F");
                self.message
                    .segment("ZE1")
                    .put(1, "1")
                    .put(2, "RS")
                    .put(3, "11000001000^検査.上部.-.-.上部通常内視鏡.-^LENDO")
                    .put(4, "1");
                self.message
                    .segment("OBX")
                    .put(1, "1")
                    .put(2, "ZRD")
                    .put(3, "DE-02^薬品^JSHR")
                    .put(5, "190180101^リドカインスプレー^HOT9^1^KAI&回&JSHR")
                    .put(11, "F");
                self.message.segment("IPC").fmt(1, format_args!("A{number}")).put(3, &study).put(5, "ES^^DCM");
            }
            Examination::Heart => {
                let rate = 68.0 + 10.0 * self.dice.bell();
                let lines = [
                    ("TX", "9A100&IMP^心電図所見^JC10", finding.to_owned(), ""),
                    ("NM", "32769^心拍数^99MFR", format!("{rate:.0}"), "bpm"),
                    ("NM", "56008^QT 時間^99MFR", format!("{:.0}", 405.0 + 22.0 * self.dice.bell()), "msec"),
                ];
                for (n, (kind, item, value, unit)) in lines.iter().enumerate() {
                    self.message
                        .segment("OBX")
                        .fmt(1, format_args!("{}", n + 1))
                        .put(2, kind)
                        .put(3, item)
                        .fmt(4, format_args!("{}", n + 1))
                        .put(5, value)
                        .put(6, unit)
                        .put(11, "F");
                }
            }
        }
        self.file(done_type, date, Some(order), reported, place.department, '1')
    }
}
