use super::*;

fn spool(parent: &Path, limit: u64) -> Arc<Spool> {
    Arc::new(Spool::new(parent.join("made/below"), limit))
}

fn files(spool: &Spool) -> Vec<PathBuf> {
    let entries = fs::read_dir(spool.prepare().unwrap()).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths.filter(|path| !path.ends_with(LOCK)).collect()
}

#[test]
fn a_file_is_there_until_it_is_let_go_of_and_for_its_owner_alone() {
    let parent = tempfile::tempdir().unwrap();
    let spool = spool(parent.path(), 100);
    let mut file = spool.file().unwrap();
    file.write(b"abc").unwrap();
    file.write(b"defg").unwrap();
    let file = file.done();
    assert_eq!((file.size(), spool.used()), (7, 7));
    assert_eq!(fs::read(file.path()).unwrap(), b"abcdefg");
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(file.path()), 0o600);
    assert_eq!(mode(file.path().parent().unwrap()), 0o700);
    assert_eq!(mode(&parent.path().join("made/below")), 0o700);
    drop(file);
    assert_eq!(spool.used(), 0);
    assert!(files(&spool).is_empty());
}

#[test]
fn what_goes_beyond_the_limit_is_refused_and_leaves_room_for_others() {
    let parent = tempfile::tempdir().unwrap();
    let spool = spool(parent.path(), 10);
    let mut first = spool.file().unwrap();
    first.write(&[0; 6]).unwrap();
    let mut second = spool.file().unwrap();
    second.write(&[0; 4]).unwrap();
    let error = second.write(&[0; 1]).unwrap_err();
    let failure = error.failure();
    assert_eq!(
        (failure.status.as_u16(), failure.code),
        (503, "mailbox.unavailable")
    );
    assert_eq!(spool.used(), 10);
    drop(second);
    first.write(&[0; 4]).unwrap();
    drop(first);
    assert_eq!(spool.used(), 0);
    assert!(files(&spool).is_empty());
}

#[test]
fn files_of_a_process_that_was_killed_are_removed_and_others_are_not() {
    let parent = tempfile::tempdir().unwrap();
    let living = Spool::new(parent.path().to_owned(), 1);
    let lived = living.prepare().unwrap();
    let directory = |name: &str| {
        let path = parent.path().join(name);
        fs::create_dir(&path).unwrap();
        path
    };
    let killed = directory("polypost-files-killed");
    fs::write(killed.join(LOCK), "").unwrap();
    fs::write(killed.join("mail"), "secret").unwrap();
    let (begun, foreign) = (directory("polypost-files-begun"), directory("foreign"));
    fs::write(foreign.join(LOCK), "").unwrap();
    let own = Spool::new(parent.path().to_owned(), 1).prepare().unwrap();
    assert!(!killed.exists());
    assert!(lived.exists() && begun.exists() && foreign.exists());
    assert!(!own.exists(), "it goes with its spool");
}

#[test]
fn a_directory_that_somebody_tidied_away_is_made_anew() {
    let parent = tempfile::tempdir().unwrap();
    let spool = spool(parent.path(), 10);
    fs::remove_dir_all(spool.prepare().unwrap()).unwrap();
    spool.file().unwrap().write(b"a").unwrap();
}

#[test]
fn a_directory_that_cannot_be_made_is_a_fault_of_the_gateway() {
    let parent = NamedTempFile::new().unwrap();
    let error = spool(parent.path(), 10).file().unwrap_err();
    let failure = error.failure();
    assert_eq!(failure.status.as_u16(), 500);
    assert!(failure.cause.is_some());
    let path = parent.path().to_str().unwrap();
    assert!(!failure.message.contains(path));
}
