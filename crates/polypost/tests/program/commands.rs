use serde_json::Value;

use crate::process::Scene;

#[tokio::test]
async fn openapi_is_printed_without_any_configuration() {
    let scene = Scene::new().with("POLYPOST_NO_SUCH_SETTING", "x");
    let document: Value = serde_json::from_str(&scene.done(&["openapi"]).await).unwrap();
    assert!(document["paths"]["/v1/email/sync/updated"]["get"].is_object());
}

#[tokio::test]
async fn a_misspelt_variable_stops_the_program_and_is_named() {
    let complaint = Scene::new()
        .with("POLYPOST_LISEN", "x")
        .refused(&["serve"])
        .await;
    assert!(
        complaint.to_lowercase().contains("polypost_lisen"),
        "{complaint}"
    );
}

#[tokio::test]
async fn a_section_of_no_backend_stops_the_program_and_is_named() {
    let scene = Scene::new().with("POLYPOST_PROVIDERS__IMPA__CONNECTIONS", "3");
    let complaint = scene.refused(&["serve"]).await;
    assert!(complaint.contains("providers.impa"), "{complaint}");
}

#[tokio::test]
async fn migrate_can_be_run_again() {
    let scene = Scene::new();
    for _ in 0..2 {
        assert!(scene.done(&["migrate"]).await.contains("up to date"));
    }
}

#[tokio::test]
async fn an_application_is_made_once_and_its_secret_renewed_on_request() {
    let scene = Scene::new();
    let made = scene.done(&["app", "add", "shop"]).await;
    assert!(made.contains("client secret"));
    let complaint = scene.refused(&["app", "add", "shop"]).await;
    assert!(complaint.contains("--renew"), "{complaint}");
    assert_ne!(scene.done(&["app", "add", "shop", "--renew"]).await, made);
    assert_eq!(scene.done(&["app", "list"]).await.lines().count(), 1);
    scene.done(&["app", "remove", "shop"]).await;
    assert_eq!(scene.done(&["app", "list"]).await, "");
}

#[tokio::test]
async fn an_account_whose_server_is_not_allowed_is_not_saved() {
    let scene = Scene::new();
    scene.done(&["app", "add", "shop"]).await;
    let password = scene.directory.path().join("password");
    std::fs::write(&password, "hunter2\n").unwrap();
    let arguments = [
        "account",
        "add",
        "--app=shop",
        "--email=ann@example.org",
        "--password-file=password",
        "--server=imaps://127.0.0.1:1",
        "--smtp-server=smtps://127.0.0.1:1",
    ];
    let complaint = scene.refused(&arguments).await;
    assert!(!complaint.contains("hunter2"), "{complaint}");
    assert_eq!(scene.done(&["account", "list"]).await, "");
}
