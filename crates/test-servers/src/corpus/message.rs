//! Whole messages: what kinds there are, and their header.

use chrono::{FixedOffset, TimeDelta};
use rand::Rng;

use super::encode::header_text;
use super::part::Part;
use super::{Corpus, OPEN_THREADS, Person, Size, Thread};

impl Corpus {
    /// The next message.
    pub(super) fn message(&mut self) -> Vec<u8> {
        let size = self.target_size();
        let thread = self.thread();
        let kind = self.rng.random_range(0..100);
        let (extra, part) = if size >= 400_000 {
            (String::new(), self.with_attachments(&thread, size))
        } else {
            self.content(kind, &thread, size)
        };
        let header = self.header(&thread, &extra);
        let mut raw = Vec::with_capacity(header.len() + part.header.len() + part.body.len() + 2);
        raw.extend(header);
        part.write(&mut raw);
        raw
    }

    /// Header lines of its own and the content, for a kind between 0 and 99.
    fn content(&mut self, kind: u32, thread: &Thread, size: usize) -> (String, Part) {
        let part = match kind {
            0..25 => self.text(thread.charset, size, false),
            25..60 => self.alternative(thread, size),
            60..64 => self.text(thread.charset, size, true),
            64..74 => {
                let list = format!(
                    "List-Id: Discussion <talk.lists.example.org>\r\nList-Post: <mailto:talk@lists.example.org>\r\n\
                     List-Unsubscribe: <https://lists.example.org/u/{}>\r\nPrecedence: list\r\n",
                    self.index
                );
                return (list, self.text(thread.charset, size, false));
            }
            74..77 => self.invitation(thread),
            77..79 => {
                return (
                    "Auto-Submitted: auto-replied\r\n".to_owned(),
                    self.delivery_report(),
                );
            }
            _ if self.size == Size::Small => self.text(thread.charset, size, false),
            79..88 => self.related(thread, size),
            88..97 => self.with_attachments(thread, size),
            _ => self.forwarded(thread, size),
        };
        (String::new(), part)
    }

    fn alternative(&mut self, thread: &Thread, size: usize) -> Part {
        let plain = self.text(thread.charset, size / 4, false);
        let html = self.text(thread.charset, size * 3 / 4, true);
        self.multipart("alternative", "", &[plain, html])
    }

    fn related(&mut self, thread: &Thread, size: usize) -> Part {
        let content_id = format!("image001.{:08x}@example.com", self.rng.random::<u32>());
        let plain = self.text(thread.charset, size / 8, false);
        let html = Part {
            header: "Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: 7bit\r\n"
                .to_owned(),
            body: format!(
                "<html><body><p>See <img src=\"cid:{content_id}\"></p></body></html>\r\n"
            )
            .into_bytes(),
        };
        let alternative = self.multipart("alternative", "", &[plain, html]);
        let image = self.inline_image(size * 3 / 4, &content_id);
        self.multipart(
            "related",
            "; type=\"multipart/alternative\"",
            &[alternative, image],
        )
    }

    fn with_attachments(&mut self, thread: &Thread, size: usize) -> Part {
        let text = self.alternative(thread, (size / 4).min(20_000));
        let count = self.rng.random_range(1..4);
        let mut parts = vec![text];
        for _ in 0..count {
            parts.push(self.attachment(size * 3 / 4 / count));
        }
        self.multipart("mixed", "", &parts)
    }

    fn forwarded(&mut self, thread: &Thread, size: usize) -> Part {
        let text = self.text(thread.charset, 300, false);
        let inner = self.alternative(thread, size);
        let header = self.header(thread, "");
        let mut body = header;
        inner.write(&mut body);
        let message = Part {
            header: "Content-Type: message/rfc822\r\nContent-Disposition: attachment\r\n"
                .to_owned(),
            body,
        };
        self.multipart("mixed", "", &[text, message])
    }

    fn invitation(&mut self, thread: &Thread) -> Part {
        let text = self.text(thread.charset, 300, false);
        let start = self.clock.format("%Y%m%dT%H%M%SZ");
        let event = format!(
            "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Example//Calendar//EN\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\n\
             UID:{}-{}@example.com\r\nDTSTAMP:{start}\r\nDTSTART:{start}\r\nDURATION:PT30M\r\nSUMMARY:Meeting\r\n\
             END:VEVENT\r\nEND:VCALENDAR\r\n",
            self.seed, self.index
        );
        let calendar = Part {
            header: "Content-Type: text/calendar; charset=utf-8; method=REQUEST\r\nContent-Transfer-Encoding: 7bit\r\n".to_owned(),
            body: event.into_bytes(),
        };
        self.multipart("alternative", "", &[text, calendar])
    }

    /// RFC 3464.
    fn delivery_report(&mut self) -> Part {
        let recipient = self.person().address;
        let ascii = 0;
        let text = self.text(ascii, 200, false);
        let status = Part {
            header: "Content-Type: message/delivery-status\r\n".to_owned(),
            body: format!(
                "Reporting-MTA: dns; mail.example.org\r\n\r\nFinal-Recipient: rfc822; {recipient}\r\nAction: failed\r\n\
                 Status: 5.1.1\r\nDiagnostic-Code: smtp; 550 5.1.1 no such user\r\n"
            )
            .into_bytes(),
        };
        let original = Part {
            header: "Content-Type: text/rfc822-headers\r\n".to_owned(),
            body: format!("From: alice@test.local\r\nTo: {recipient}\r\nSubject: undelivered\r\n")
                .into_bytes(),
        };
        self.multipart(
            "report",
            "; report-type=delivery-status",
            &[text, status, original],
        )
    }

    /// A new conversation or, nearly half the time, one to answer.
    fn thread(&mut self) -> Thread {
        let own_id = format!(
            "<{:x}.{}.{:08x}@mail.example.com>",
            self.seed,
            self.index,
            self.rng.random::<u32>()
        );
        if !self.threads.is_empty() && self.rng.random_bool(0.45) {
            let index = self.rng.random_range(0..self.threads.len());
            let thread = &mut self.threads[index];
            // A mailer keeps the first of the references and the newest.
            if thread.message_ids.len() > 10 {
                thread.message_ids.remove(1);
            }
            thread.message_ids.push(own_id);
            return thread.clone();
        }
        let charset = match self.rng.random_range(0..100) {
            0..35 => 0,
            35..70 => 1,
            _ => self.rng.random_range(2..self.charsets.len()),
        };
        let words = self.rng.random_range(2..8);
        let thread = Thread {
            subject: self.charsets[charset].words(&mut self.rng, words),
            charset,
            message_ids: vec![own_id],
        };
        if self.threads.len() == OPEN_THREADS {
            let index = self.rng.random_range(0..OPEN_THREADS);
            self.threads.swap_remove(index);
        }
        self.threads.push(thread.clone());
        thread
    }

    fn person(&mut self) -> Person {
        let index = self.rng.random_range(0..self.people.len());
        self.people[index].clone()
    }

    /// A name and an address; one in a hundred mailers sends the name as raw UTF-8.
    fn mailbox(&mut self) -> Vec<u8> {
        let person = self.person();
        if self.rng.random_bool(0.01) {
            return format!("{} <{}>", person.name, person.address).into_bytes();
        }
        let utf8 = self.utf8().clone();
        let name = header_text(&mut self.rng, &utf8, &person.name);
        format!("{name} <{}>", person.address).into_bytes()
    }

    /// All header lines but those of the content.
    fn header(&mut self, thread: &Thread, extra: &str) -> Vec<u8> {
        let mut header = Vec::with_capacity(1_500);
        let line = |header: &mut Vec<u8>, name: &str, value: &[u8]| {
            header.extend(name.as_bytes());
            header.extend(b": ");
            header.extend(value);
            header.extend(b"\r\n");
        };
        let zone = FixedOffset::east_opt(self.rng.random_range(-10..11) * 3600)
            .unwrap_or(*self.clock.offset());
        let sent =
            (self.clock - TimeDelta::seconds(self.rng.random_range(0..90))).with_timezone(&zone);
        let date = sent.to_rfc2822();
        line(
            &mut header,
            "Return-Path",
            format!("<{}>", self.person().address).as_bytes(),
        );
        for hop in 0..self.rng.random_range(1..4) {
            let received = format!(
                "from relay{hop}.example.net (relay{hop}.example.net [192.0.2.{hop}])\r\n\tby mx.test.local with ESMTPS id {:012x};\r\n\t{date}",
                self.rng.random::<u64>() >> 16
            );
            line(&mut header, "Received", received.as_bytes());
        }
        let from = self.mailbox();
        line(&mut header, "From", &from);
        let mut recipients = b"alice@test.local".to_vec();
        for _ in 0..self.rng.random_range(0..4) {
            recipients.extend(b",\r\n ");
            recipients.extend(self.mailbox());
        }
        line(&mut header, "To", &recipients);
        if self.rng.random_bool(0.2) {
            let copy = self.mailbox();
            line(&mut header, "Cc", &copy);
        }
        let answers = thread
            .message_ids
            .split_last()
            .filter(|(_, before)| !before.is_empty());
        let prefix = if answers.is_some() { "Re: " } else { "" };
        let charset = self.charsets[thread.charset].clone();
        let subject = header_text(&mut self.rng, &charset, &thread.subject);
        line(
            &mut header,
            "Subject",
            format!("{prefix}{subject}").as_bytes(),
        );
        line(&mut header, "Date", date.as_bytes());
        if let Some(own) = thread.message_ids.last()
            && !self.rng.random_bool(0.005)
        {
            line(&mut header, "Message-ID", own.as_bytes());
        }
        if let Some((parent, _)) = answers.and_then(|(_, before)| before.split_last()) {
            line(&mut header, "In-Reply-To", parent.as_bytes());
            let before = &thread.message_ids[..thread.message_ids.len() - 1];
            line(&mut header, "References", before.join("\r\n ").as_bytes());
        }
        header.extend(extra.as_bytes());
        header.extend(b"MIME-Version: 1.0\r\n");
        header
    }
}
