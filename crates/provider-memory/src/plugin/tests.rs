use email_provider::{
    Call, Priority, SystemClock,
    network::{GuardOptions, GuardedNetwork},
};
use tokio::time::Instant;

use super::*;
use crate::Fault;

fn context() -> ConnectContext {
    ConnectContext {
        public_url: None,
        network: Arc::new(GuardedNetwork::new(Vec::new(), GuardOptions::default())),
        clock: Arc::new(SystemClock),
        tokens: None,
        budget: None,
        config: serde_json::Value::Null,
    }
}

fn sign_in(login: &str, password: &str) -> SignIn {
    SignIn {
        service_type: "Sample".to_owned(),
        email: Some(login.to_owned()),
        password: Some(SecretString::from(password)),
        ..SignIn::default()
    }
}

fn call() -> Call {
    let deadline = Instant::now() + Duration::from_secs(5);
    Call {
        priority: Priority::Interactive,
        deadline,
    }
}

async fn connect(
    plugin: &MemoryPlugin,
    login: &str,
    password: &str,
) -> Result<ConnectedMailbox, SignInError> {
    let mailbox = plugin
        .resolve(&context(), &sign_in(login, password))
        .await?;
    plugin.prove(&context(), mailbox).await
}

fn kind(answer: Result<ConnectedMailbox, SignInError>) -> Option<ErrorKind> {
    match answer {
        Err(SignInError::Provider(error)) => Some(error.kind),
        _ => None,
    }
}

#[tokio::test]
async fn a_known_mailbox_is_opened_whatever_the_case_of_its_name() {
    let plugin = MemoryPlugin::new();
    plugin.mailbox("ann@memory.example");
    let connected = connect(&plugin, " Ann@Memory.example ", "any")
        .await
        .unwrap();
    assert_eq!(connected.identity.subject, "ann@memory.example");
    let provider = plugin
        .open(&context(), &connected.connection)
        .await
        .unwrap();
    assert_eq!(provider.folders(call()).await.unwrap().len(), 6);
}

#[tokio::test]
async fn an_unknown_mailbox_and_a_wrong_password_are_refused() {
    let plugin = MemoryPlugin::new();
    let refused = Some(ErrorKind::Unauthenticated);
    assert_eq!(
        kind(connect(&plugin, "nobody@memory.example", "x").await),
        refused
    );
    plugin
        .mailbox("ann@memory.example")
        .require_password(Some("right".into()));
    assert_eq!(
        kind(connect(&plugin, "ann@memory.example", "wrong").await),
        refused
    );
    assert!(
        connect(&plugin, "ann@memory.example", "right")
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn a_sign_in_without_a_name_is_invalid() {
    let plugin = MemoryPlugin::new();
    assert!(matches!(
        connect(&plugin, " ", "x").await,
        Err(SignInError::Invalid(_))
    ));
}

#[tokio::test]
async fn whoever_signs_in_gets_a_sample_mailbox_but_not_without_end() {
    let plugin = MemoryPlugin::with_samples(Some(Duration::from_secs(60)));
    for n in 0..MemoryPlugin::MOST_SAMPLES {
        connect(&plugin, &format!("guest-{n}@sample.example"), "")
            .await
            .unwrap();
    }
    assert!(plugin.mailbox("guest-0@sample.example").dump().len() > 100);
    let one_more = connect(&plugin, "one-more@sample.example", "").await;
    assert_eq!(kind(one_more), Some(ErrorKind::Unauthenticated));
}

#[tokio::test(start_paused = true)]
async fn faults_happen_as_ordered() {
    let mailbox = MemoryMailbox::new("ann", Shape::default(), 1);
    let provider = MemoryProvider::new(mailbox.clone());
    mailbox.inject(Some("survey"), Fault::Throttle(Duration::from_secs(9)), 1);
    mailbox.inject(None, Fault::Fail(ErrorKind::Unavailable), 2);
    for _ in 0..2 {
        let error = provider.folders(call()).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Unavailable);
    }
    assert!(provider.folders(call()).await.is_ok());
    let error = provider.survey(call(), &[]).await.unwrap_err();
    assert_eq!(
        (error.kind, error.retry_after),
        (ErrorKind::RateLimited, Some(Duration::from_secs(9)))
    );

    mailbox.inject(None, Fault::Stall(Duration::from_secs(60)), 1);
    let begun = Instant::now();
    let error = provider.folders(call()).await.unwrap_err();
    assert_eq!(
        (error.kind, begun.elapsed()),
        (ErrorKind::Unavailable, Duration::from_secs(5))
    );

    mailbox.inject(None, Fault::LoseAnswer, 1);
    let folder = email_provider::NewFolder {
        name: "Made".to_owned(),
        parent: None,
    };
    let error = provider.create_folder(call(), folder).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::OutcomeUnknown);
    assert_eq!(
        provider.folders(call()).await.unwrap().len(),
        7,
        "it was done all the same"
    );

    mailbox.inject(None, Fault::Fail(ErrorKind::Unavailable), 9);
    mailbox.heal();
    assert!(provider.folders(call()).await.is_ok());
}
