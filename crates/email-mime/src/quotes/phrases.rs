//! The words by which mail programs introduce what they quote.

/// Longest line that may introduce a quotation, in octets.
const MAX_LINE: usize = 500;

/// `On Monday, Ann wrote:` ends with one of these, in some language.
const WROTE: [&str; 29] = [
    "wrote",
    "writes",
    "schrieb",
    "schrieb am",
    "geschrieben",
    "a écrit",
    "écrit",
    "escribió",
    "escribio",
    "ha scritto",
    "escreveu",
    "schreef",
    "het volgende geschreven",
    "skrev",
    "kirjoitti",
    "napisał(a)",
    "napisał",
    "napisała",
    "pisze",
    "napsal(a)",
    "napsal",
    "napísal(a)",
    "írta",
    "a scris",
    "yazdı",
    "написал",
    "написал(а)",
    "пишет",
    "написала",
];
/// As above, in languages that write no spaces.
const WROTE_UNSPACED: [&str; 6] = [
    "写道",
    "寫道",
    "书写",
    "のメール",
    "は書きました",
    "님이 작성",
];
/// `On`, where the verb does not come last: `Am Montag schrieb Ann:`.
const ON: [(&str, &str); 9] = [
    ("on ", " wrote"),
    ("am ", " schrieb"),
    ("le ", " a écrit"),
    ("el ", " escribió"),
    ("il ", " ha scritto"),
    ("em ", " escreveu"),
    ("op ", " schreef"),
    ("den ", " skrev"),
    ("w dniu ", " pisze"),
];
/// Between dashes, before a quoted message. Not those of forwarded ones.
const ORIGINAL: [&str; 16] = [
    "original message",
    "original appointment",
    "ursprüngliche nachricht",
    "originalnachricht",
    "message d'origine",
    "message original",
    "mensaje original",
    "mensagem original",
    "messaggio originale",
    "oorspronkelijk bericht",
    "ursprungligt meddelande",
    "oprindelig meddelelse",
    "opprinnelig melding",
    "wiadomość oryginalna",
    "исходное сообщение",
    "原始邮件",
];
const FROM: [&str; 16] = [
    "from",
    "von",
    "de",
    "da",
    "van",
    "från",
    "fra",
    "od",
    "от",
    "lähettäjä",
    "kimden",
    "feladó",
    "发件人",
    "寄件者",
    "差出人",
    "보낸 사람",
];
const SENT: [&str; 28] = [
    "sent",
    "date",
    "gesendet",
    "datum",
    "envoyé",
    "enviado",
    "fecha",
    "data",
    "enviada",
    "enviado em",
    "inviato",
    "verzonden",
    "skickat",
    "sendt",
    "dato",
    "wysłano",
    "отправлено",
    "дата",
    "lähetetty",
    "gönderilme tarihi",
    "tarih",
    "elküldve",
    "发送时间",
    "日期",
    "寄件日期",
    "送信日時",
    "보낸 날짜",
    "envoyé le",
];
const TO_OR_SUBJECT: [&str; 34] = [
    "to",
    "subject",
    "cc",
    "an",
    "betreff",
    "à",
    "objet",
    "para",
    "asunto",
    "assunto",
    "a",
    "oggetto",
    "aan",
    "onderwerp",
    "till",
    "ämne",
    "til",
    "emne",
    "do",
    "temat",
    "кому",
    "тема",
    "vastaanottaja",
    "aihe",
    "kime",
    "konu",
    "címzett",
    "tárgy",
    "收件人",
    "主题",
    "主旨",
    "宛先",
    "件名",
    "받는 사람",
];

/// Parts of the lines that come before a forwarded message.
const FORWARDED: [&str; 13] = [
    "forwarded",
    "weitergeleitet",
    "transféré",
    "reenviad",
    "inoltrat",
    "encaminhad",
    "doorgestuurd",
    "vidarebefordra",
    "videresend",
    "przesłan",
    "пересылаем",
    "转发",
    "転送",
];

/// The line before a forwarded message.
pub(super) fn is_forward(line: &str) -> bool {
    line.len() <= MAX_LINE && {
        let line = line.to_lowercase();
        FORWARDED.iter().any(|word| line.contains(word))
    }
}

/// Whether an attribution that spans lines may begin with `line`.
pub(super) fn begins_attribution(line: &str) -> bool {
    let start = crate::text::head(line.trim_start(), 16).to_lowercase();
    ON.iter().any(|(on, _)| start.starts_with(on))
}

/// Whether `line` may be the first of a quoted message's head.
pub(super) fn begins_message_head(line: &str) -> bool {
    label(line).is_some_and(|label| FROM.contains(&label.as_str()))
}

/// `On Mon, Jan 1, 2024, Ann wrote:`, on one line.
pub(super) fn is_attribution(line: &str) -> bool {
    let line = line.trim();
    if line.len() > MAX_LINE || line.len() < 6 {
        return false;
    }
    let Some(rest) = line.strip_suffix([':', '：']) else {
        return false;
    };
    let rest = rest.trim_end().to_lowercase();
    let dated = rest.contains(|c: char| c.is_numeric()) || rest.contains('@');
    let word_end = |verb: &&str| {
        rest.strip_suffix(*verb)
            .is_some_and(|before| before.ends_with([' ', '\u{a0}', ',']))
    };
    dated
        && (WROTE.iter().any(word_end)
            || WROTE_UNSPACED.iter().any(|verb| rest.ends_with(verb))
            || ON
                .iter()
                .any(|(on, verb)| rest.starts_with(on) && rest.contains(verb)))
}

/// `-----Original Message-----`.
pub(super) fn is_original_rule(line: &str) -> bool {
    let line = line.trim();
    if line.len() > MAX_LINE || !line.starts_with("--") || !line.ends_with("--") {
        return false;
    }
    let words = line
        .trim_matches(|c: char| c == '-' || c.is_whitespace())
        .to_lowercase();
    let words = words.replace('\u{2019}', "'");
    ORIGINAL.contains(&words.as_str())
}

/// `From: … Sent: … To: …`: the head of a quoted message, `lines` beginning with it.
pub(super) fn is_message_head<'a>(lines: impl Iterator<Item = &'a str>) -> bool {
    let mut labels = lines
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .map(label);
    let is = |label: Option<Option<String>>, of: &[&str]| {
        label
            .flatten()
            .is_some_and(|label| of.contains(&label.as_str()))
    };
    if !is(labels.next(), &FROM) {
        return false;
    }
    let rest: Vec<_> = labels.take(5).collect();
    rest.iter().any(|label| is(Some(label.clone()), &SENT))
        && rest
            .iter()
            .any(|label| is(Some(label.clone()), &TO_OR_SUBJECT))
}

/// The word before a colon, in lower case, without marks of emphasis.
fn label(line: &str) -> Option<String> {
    let (label, _) = line.split_once([':', '：'])?;
    let label = label.trim_matches(|c: char| c == '*' || c == '_' || c.is_whitespace());
    (label.len() <= 40).then(|| label.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributions_are_known_in_several_languages() {
        for line in [
            "On Mon, Jan 1, 2024 at 10:00 AM Ann B <ann@x.org> wrote:",
            "Am 01.01.24 um 10:00 schrieb Ann B:",
            "Am Mo., 1. Jan. 2024 um 10:00 Uhr schrieb Ann <ann@x.org>:",
            "Le lun. 1 janv. 2024 à 10:00, Ann <ann@x.org> a écrit :",
            "El lun, 1 ene 2024 a las 10:00, Ann (<ann@x.org>) escribió:",
            "Il giorno lun 1 gen 2024 alle ore 10:00 Ann <ann@x.org> ha scritto:",
            "Em seg., 1 de jan. de 2024 às 10:00, Ann <ann@x.org> escreveu:",
            "Op ma 1 jan 2024 om 10:00 schreef Ann <ann@x.org>:",
            "Den mån 1 jan. 2024 kl 10:00 skrev Ann <ann@x.org>:",
            "pon., 1 sty 2024 o 10:00 Ann <ann@x.org> napisał(a):",
            "пн, 1 янв. 2024 г. в 10:00, Ann <ann@x.org>:написал:",
            "2024年1月1日 10:00，Ann <ann@x.org> 写道：",
            "> 1 jan. 2024, ann@x.org wrote :",
        ] {
            let known = is_attribution(line);
            assert_eq!(known, !line.contains(">:написал"), "{line}");
        }
        for line in [
            "He wrote:",
            "She wrote 3 books",
            "note 1:",
            "On the 3rd we rewrote:",
            ":",
            "",
        ] {
            assert!(!is_attribution(line), "{line}");
        }
    }

    #[test]
    fn rules_before_originals_are_known_and_forwards_left_alone() {
        assert!(is_original_rule("-----Original Message-----"));
        assert!(is_original_rule(
            "-------- Message d\u{2019}origine --------"
        ));
        assert!(is_original_rule("----- Ursprüngliche Nachricht -----"));
        assert!(!is_original_rule("---------- Forwarded message ---------"));
        assert!(!is_original_rule("original message"));
    }

    #[test]
    fn heads_of_quoted_messages_are_known() {
        assert!(is_message_head(
            "From: A\nSent: now\nTo: B\nSubject: x".lines()
        ));
        assert!(is_message_head(
            "*Von:* A\n*Gesendet:* jetzt\n*An:* B".lines()
        ));
        assert!(is_message_head(
            "De : A\n\nEnvoyé : hier\nÀ : B\nObjet : x".lines()
        ));
        assert!(!is_message_head("From: here\nTo: there\nwe went".lines()));
        assert!(!is_message_head("Sent: now\nFrom: A\nTo: B".lines()));
    }
}
