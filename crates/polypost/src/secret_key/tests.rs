use std::path::PathBuf;

use tempfile::TempDir;

use super::*;
use crate::store;

struct Scene {
    directory: TempDir,
    config: Config,
}

impl Scene {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let config = Config {
            data_dir: directory.path().to_owned(),
            ..Config::default()
        };
        Self { directory, config }
    }

    fn file(&self) -> PathBuf {
        self.directory.path().join("secret.key")
    }

    async fn start(&self) -> anyhow::Result<Arc<Sealer>> {
        let store = store::open_migrated(&self.config).await?;
        let sealer = sealer(&self.config, &*store).await;
        store.close().await;
        sealer
    }

    async fn refusal(&self) -> String {
        format!("{:#}", self.start().await.unwrap_err())
    }
}

const OTHER: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

#[tokio::test]
async fn an_embedded_database_gets_a_key_of_its_own_that_only_its_owner_reads() {
    let scene = Scene::new();
    let sealed = scene
        .start()
        .await
        .unwrap()
        .seal(check_place(), b"x")
        .unwrap();
    let mode = fs::metadata(scene.file()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let again = scene.start().await.unwrap();
    assert_eq!(again.open(check_place(), &sealed).unwrap(), b"x");
    let left = fs::read_dir(scene.directory.path()).unwrap();
    let names: Vec<_> = left.map(|entry| entry.unwrap().file_name()).collect();
    assert!(
        !names
            .iter()
            .any(|name| name.to_string_lossy().starts_with(".tmp")),
        "{names:?}"
    );
}

#[tokio::test]
async fn another_key_stops_the_start_and_changes_nothing() {
    let mut scene = Scene::new();
    scene.start().await.unwrap();
    scene.config.secret_key = Some(OTHER.parse().unwrap());
    assert!(scene.refusal().await.contains("secret_key is not the one"));
    scene.config.secret_key = None;
    scene.start().await.unwrap();
    fs::write(scene.file(), OTHER).unwrap();
    assert!(scene.refusal().await.contains("secret.key is not the one"));
}

#[tokio::test]
async fn a_lost_key_file_is_not_replaced_while_the_database_was_sealed_with_it() {
    let scene = Scene::new();
    scene.start().await.unwrap();
    fs::remove_file(scene.file()).unwrap();
    assert!(scene.refusal().await.contains("is missing"));
    assert!(!scene.file().exists());
}

#[tokio::test]
async fn a_damaged_key_file_stops_the_start_without_showing_it() {
    let scene = Scene::new();
    fs::write(scene.file(), "hunter2").unwrap();
    let refused = scene.refusal().await;
    assert!(
        refused.contains("secret.key") && !refused.contains("hunter2"),
        "{refused}"
    );
}

#[tokio::test]
async fn a_given_key_makes_no_file() {
    let mut scene = Scene::new();
    scene.config.secret_key = Some(OTHER.parse().unwrap());
    scene.start().await.unwrap();
    assert!(!scene.file().exists());
}

#[tokio::test]
async fn two_processes_that_start_at_once_agree_on_the_key() {
    let scene = Scene::new();
    let store = store::open_migrated(&scene.config).await.unwrap();
    let (one, other) = tokio::join!(
        sealer(&scene.config, &*store),
        sealer(&scene.config, &*store)
    );
    let sealed = one.unwrap().seal(check_place(), b"x").unwrap();
    assert_eq!(other.unwrap().open(check_place(), &sealed).unwrap(), b"x");
}
