use super::*;

fn given(password: Option<&str>, string1: Option<&str>, string2: Option<&str>) -> SignIn {
    SignIn {
        password: password.map(Into::into),
        access_token: string1.map(Into::into),
        refresh_token: string2.map(Into::into),
        ..SignIn::default()
    }
}

fn refusal(sign_in: &SignIn) -> String {
    match password(sign_in) {
        Err(SignInError::Invalid(why)) => why,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_password_stands_in_either_field() {
    for sign_in in [
        given(Some("hunter2"), None, None),
        given(None, Some("hunter2"), None),
        given(Some("hunter2"), Some("other"), None),
    ] {
        assert_eq!(password(&sign_in).unwrap().expose_secret(), "hunter2");
    }
    assert!(refusal(&given(None, None, None)).contains("password is needed"));
}

#[test]
fn a_refresh_token_is_refused_by_name() {
    for password in [None, Some("hunter2")] {
        let refused = refusal(&given(password, Some("token"), Some("refresh")));
        assert!(refused.contains("authString2"), "{refused}");
        assert!(!refused.contains("hunter2") && !refused.contains("refresh token"));
    }
}

#[test]
fn an_access_token_is_not_sent_as_a_password() {
    let long = "x".repeat(1_001);
    for token in [
        "ya29.a0AfH6SMBx-y_z",
        "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln-_",
        &long,
    ] {
        for sign_in in [
            given(None, Some(token), None),
            given(Some(token), None, None),
        ] {
            let refused = refusal(&sign_in);
            assert!(
                refused.contains("access token") && !refused.contains(token),
                "{refused}"
            );
        }
    }
    for odd in ["eyJ with spaces.a.b", "eyJ.x", "ya29", "a.b.c"] {
        assert!(password(&given(Some(odd), None, None)).is_ok(), "{odd}");
    }
}
