//! No process and no file is left, however the test ends.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use test_servers::{
    Courier, Dovecot, DovecotOptions, Postfix, PostfixOptions, Postgres, PostgresOptions,
};

/// Processes that run in this directory, have mounted it, or name it in their command line.
fn processes(directory: &Path) -> Vec<String> {
    let needle = directory.to_string_lossy();
    let own = std::process::id().to_string();
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    entries
        .filter(|entry| entry.file_name().to_str() != Some(&own))
        .filter_map(|entry| {
            let process = entry.path();
            let command = std::fs::read(process.join("cmdline")).ok()?;
            let command = String::from_utf8_lossy(&command).replace('\0', " ");
            let mounts = std::fs::read_to_string(process.join("mountinfo")).unwrap_or_default();
            let place = std::fs::read_link(process.join("cwd")).unwrap_or_default();
            let ours = command.contains(&*needle)
                || mounts.contains(&*needle)
                || place.starts_with(directory);
            ours.then_some(command)
        })
        .collect()
}

fn assert_nothing_is_left(directory: &Path) {
    assert!(!directory.exists(), "{}", directory.display());
    assert_eq!(processes(directory), Vec::<String>::new());
}

#[tokio::test]
async fn a_dropped_server_is_gone() {
    let dovecot = Dovecot::start(DovecotOptions::default()).await.unwrap();
    let directory = dovecot.directory().to_owned();
    let _session = dovecot.client("alice@test.local").await.unwrap();
    assert!(processes(&directory).len() > 5);
    drop(dovecot);
    assert_nothing_is_left(&directory);

    let courier = Courier::start().await.unwrap();
    let directory = courier.ca_pem_path().parent().unwrap().to_owned();
    let _session = courier.client("alice@test.local").await.unwrap();
    assert!(processes(&directory).len() > 5);
    drop(courier);
    assert_nothing_is_left(&directory);

    let postfix = Postfix::start(PostfixOptions::default()).await.unwrap();
    let directory = postfix.directory().to_owned();
    assert!(processes(&directory).len() > 5);
    drop(postfix);
    assert_nothing_is_left(&directory);

    let postgres = Postgres::start(PostgresOptions::default()).await.unwrap();
    let directory = postgres.directory().to_owned();
    assert!(processes(&directory).len() > 5);
    drop(postgres);
    assert_nothing_is_left(&directory);
}

#[tokio::test]
async fn a_stopped_server_leaves_no_files_when_it_is_dropped() {
    let mut dovecot = Dovecot::start(DovecotOptions::default()).await.unwrap();
    let directory = dovecot.directory().to_owned();
    dovecot.stop().await.unwrap();
    assert_eq!(processes(&directory), Vec::<String>::new());
    assert!(directory.exists());
    drop(dovecot);
    assert_nothing_is_left(&directory);
}

#[tokio::test]
async fn a_panicking_test_leaves_nothing() {
    let (sender, receiver) = tokio::sync::oneshot::channel();
    let test = tokio::spawn(async move {
        let dovecot = Dovecot::start(DovecotOptions::default()).await.unwrap();
        sender.send(dovecot.directory().to_owned()).unwrap();
        panic!("as intended");
    });
    let directory: PathBuf = receiver.await.unwrap();
    assert!(test.await.unwrap_err().is_panic());
    assert_nothing_is_left(&directory);
}

#[tokio::test]
async fn a_killed_test_process_leaves_nothing() {
    let scratch = tempfile::tempdir().unwrap();
    let note = scratch.path().join("directories");
    let mut child = Command::new(env!("CARGO_BIN_EXE_hold_servers"))
        .arg(&note)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let start = Instant::now();
    while !note.exists() && start.elapsed() < Duration::from_secs(30) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    tokio::time::sleep(Duration::from_millis(50)).await;
    let directories: Vec<PathBuf> = std::fs::read_to_string(&note)
        .unwrap()
        .lines()
        .map(PathBuf::from)
        .collect();
    assert_eq!(directories.len(), 2);
    assert!(
        directories
            .iter()
            .all(|directory| processes(directory).len() > 5)
    );
    child.kill().unwrap();
    child.wait().unwrap();
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(10)
        && directories
            .iter()
            .any(|directory| directory.exists() || !processes(directory).is_empty())
    {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    for directory in directories {
        assert_nothing_is_left(&directory);
    }
}
