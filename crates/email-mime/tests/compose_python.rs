//! Every composed message, read by Python's email package, holds what was asked for and nothing else.

#![expect(clippy::unwrap_used, reason = "a helper of a test may end it")]

mod compose_python {
    pub mod cases;
    pub mod expected;
}

use std::{collections::BTreeMap, fs, process::Command};

use compose_python::{cases, expected};
use email_mime::compose::{Form, Limits, Purpose, compose};
use email_model::OutgoingMessage;
use serde_json::Value;

/// From the package's directory, in which its tests run: a path known at compile time is another clone's where two clones
/// share a target directory.
const SCRIPT: &str = "tests/compose_python.py";

const LIMITS: Limits = Limits {
    recipients: 1_000,
    octets: 50 << 20,
    internationalised: false,
};

fn read_all(messages: &BTreeMap<String, OutgoingMessage>, form: Form) -> Value {
    let directory = tempfile::tempdir().unwrap();
    for (name, message) in messages {
        let composed = compose(message, Purpose::Send, &LIMITS)
            .unwrap_or_else(|error| panic!("{name}: {error}: {message:?}"));
        let raw = composed.to_bytes(form).unwrap();
        assert_eq!(raw.len() as u64, composed.length(form));
        fs::write(directory.path().join(format!("{name}.eml")), raw).unwrap();
    }
    let output = Command::new("python3")
        .arg(SCRIPT)
        .arg(directory.path())
        .env("PYTHONIOENCODING", "utf-8")
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

fn check(messages: &BTreeMap<String, OutgoingMessage>) {
    for form in [Form::Wire, Form::Kept] {
        let read = read_all(messages, form);
        for (name, message) in messages {
            expected::compare(name, message, form, &read[name]);
        }
    }
}

#[test]
fn named_messages_are_read_as_they_were_meant() {
    check(&cases::named());
}

#[test]
fn smuggled_commands_arrive_as_content() {
    check(&cases::smuggled());
}

#[test]
fn random_messages_of_nasty_pieces_are_read_as_they_were_meant() {
    check(&cases::random(100));
}
