//! What the people of the sample mailbox write about.

/// Somebody who writes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Person {
    /// The name as it stands in an address; may need encoding.
    pub name: &'static str,
    pub address: &'static str,
}

/// What a conversation is about.
#[derive(Clone, Copy, Debug)]
pub(super) struct Topic {
    pub subject: &'static str,
    /// What is written in turn, by the other first.
    pub turns: &'static [&'static str],
    /// A file that may be attached to the first message.
    pub file: Option<&'static str>,
    pub keyword: &'static str,
}

const fn person(name: &'static str, address: &'static str) -> Person {
    Person { name, address }
}

pub(super) const PEOPLE: [Person; 10] = [
    person("Mara Lindqvist", "mara.lindqvist@harbor-studio.example"),
    person("Tomás Rivera", "tomas@rivera-print.example"),
    person("Ingrid Baumann", "i.baumann@northwind-office.example"),
    person("Samuel Okafor", "samuel.okafor@harbor-studio.example"),
    person("Chloé Martin", "chloe.martin@lumiere.example"),
    person("Priya Nair", "priya@nair-consulting.example"),
    person("Jonas Weber", "jonas.weber@stadtwerke.example"),
    person("Aiko Tanaka", "aiko.tanaka@harbor-studio.example"),
    person("Olga Petrova", "olga@petrova-translations.example"),
    person("Daniel Kim", "d.kim@kim-partners.example"),
];

pub(super) const TOPICS: [Topic; 10] = [
    Topic {
        subject: "Start page: second draft",
        turns: &[
            "the second draft of the start page is done. The header is smaller now and the three \
             offers stand side by side. Could you look at the wording until Thursday?",
            "Much better. I would swap the second and the third offer, and the button needs a \
             verb. Everything else can stay.",
            "Swapped, and the button now says what it does. I will put it on the test server tonight.",
        ],
        file: Some("start-page-draft-2.pdf"),
        keyword: "website",
    },
    Topic {
        subject: "Invoice for March",
        turns: &[
            "please find attached our invoice for March. Payment is due within 14 days. Thank \
             you for the good work together.",
            "Thanks, received. The purchase order number is missing on page one, can you send it again?",
            "Of course, here is the corrected one. Sorry for the trouble.",
        ],
        file: Some("invoice-2024-0317.pdf"),
        keyword: "accounting",
    },
    Topic {
        subject: "Keys for the new office",
        turns: &[
            "the landlord hands over the keys on Monday at nine. Somebody has to be there with the \
             signed protocol. Can you make it?",
            "Monday at nine works for me. I will bring the protocol and the camera for the pictures.",
        ],
        file: None,
        keyword: "office",
    },
    Topic {
        subject: "Lunch on Friday?",
        turns: &[
            "the Vietnamese place around the corner has reopened. Friday, half past twelve?",
            "Gladly! I will book a table for four, Aiko wants to come too.",
            "Perfect, see you there.",
        ],
        file: None,
        keyword: "private",
    },
    Topic {
        subject: "Translation of the product sheets",
        turns: &[
            "the French and the Spanish sheets are finished. Two terms are still open, I marked \
             them in yellow. Which word do you use for “fastener”?",
            "We say “attache”. Please use it throughout, also on the packaging.",
            "Done. You have the final files in the shared folder.",
        ],
        file: Some("product-sheets-fr-es.zip"),
        keyword: "translation",
    },
    Topic {
        subject: "Minutes of Tuesday's meeting",
        turns: &[
            "here are the minutes. Decisions: we keep the release date, Samuel takes over the \
             tests, the price list waits until April. Shout if I forgot anything.",
            "Thank you! One addition: Priya asked for a list of the open contracts by the end of the month.",
        ],
        file: Some("minutes.txt"),
        keyword: "meeting",
    },
    Topic {
        subject: "Your meter reading",
        turns: &[
            "please send us the reading of your electricity meter by the end of next week. You \
             find the number of the meter on the label below the display.",
            "The reading is 48213 as of this morning.",
        ],
        file: None,
        keyword: "office",
    },
    Topic {
        subject: "Offer for 500 brochures",
        turns: &[
            "500 brochures, 16 pages, recycled paper, folded and stapled: 1,240 euros plus tax. We \
             can deliver within eight working days after you approve the proof.",
            "The price is fine. Could you send a sample of the paper first?",
            "It went out by post today.",
            "The paper is lovely. Please go ahead.",
        ],
        file: Some("offer-500-brochures.pdf"),
        keyword: "print",
    },
    Topic {
        subject: "Server maintenance on Saturday night",
        turns: &[
            "on Saturday between 22:00 and 24:00 the file server gets new disks. Nothing can be \
             opened or saved during that time. Please close your documents before you leave.",
            "Will the backups of that night still run?",
            "Yes, they start at two in the morning as always.",
        ],
        file: None,
        keyword: "it",
    },
    Topic {
        subject: "Photos from the summer party",
        turns: &[
            "I sorted the pictures, the best ones are attached. If you do not want to be on the \
             website, tell me before Wednesday.",
            "What a nice evening that was. The one with the boat is my favourite, you may use it.",
        ],
        file: Some("summer-party.jpg"),
        keyword: "private",
    },
];

/// Subject and text of unwanted mail.
pub(super) const JUNK: [(&str, &str); 3] = [
    (
        "You have been selected!!!",
        "Congratulations, your parcel is waiting. Confirm your address within 24 hours.",
    ),
    (
        "Cheap watches, today only",
        "Up to 90 % off all brands. Stock is limited, order now.",
    ),
    (
        "Re: your account",
        "We noticed a sign-in from a new device. Click below to keep your account.",
    ),
];

/// Subject and text of newsletters.
pub(super) const NEWSLETTERS: [(&str, &str); 3] = [
    (
        "The weekly letter on design",
        "This week: why grids still matter, and five typefaces to try.",
    ),
    (
        "New courses in spring",
        "Bookkeeping for small companies, first aid, and an introduction to welding.",
    ),
    (
        "Changes to our terms",
        "From next month our new terms of service apply. You need not do anything.",
    ),
];
