//! Signing in with a password in the gateway's own form.

use std::net::IpAddr;

use email_provider::ConnectedMailbox;
use gateway_store::Application;
use url::Url;

use super::{
    AuthorizeRequest, FormFields, SignInForm, Submitted,
    pending::{Pending, Way},
    refusal::refusal,
};
use crate::{
    Gateway, OperationError, OperationResult,
    accounts::{
        AccountDetails, AccountInput,
        resolve::{Asker, Resolved},
    },
};

impl Gateway {
    /// The form of a sign-in that this browser has begun.
    ///
    /// # Errors
    /// `BadRequest` where it has not.
    pub async fn sign_in_form(
        &self,
        state: &str,
        browser: Option<&str>,
    ) -> OperationResult<SignInForm> {
        let (_, pending) = self.form_of(state, browser).await?;
        Ok(form(&pending))
    }

    /// Signs in with what the form holds.
    ///
    /// # Errors
    /// `BadRequest` where this browser has not begun such a sign-in. What can be mended is
    /// [`Submitted::Refused`].
    pub async fn submit_form(
        &self,
        state: &str,
        browser: Option<&str>,
        fields: FormFields,
        address: Option<IpAddr>,
    ) -> OperationResult<Submitted> {
        let (application, pending) = self.form_of(state, browser).await?;
        let visitor = Asker::Visitor(address);
        let (input, resolved) = match self
            .signed_in(&application, &pending.request, fields, visitor)
            .await
        {
            Ok(signed_in) => signed_in,
            Err(error) => return Ok(Submitted::Refused(form(&pending), error)),
        };
        self.take_sign_in(state).await?;
        let gateway = self.clone();
        let back = self.to_the_end(async move {
            let finished = gateway
                .finish_sign_in(&application, &pending, &input, &resolved)
                .await;
            Ok(finished.unwrap_or_else(|refusal| pending.returning.refused(&refusal)))
        });
        Ok(Submitted::Back(back.await?))
    }

    /// Ends a sign-in that its user does not want. Returns where the browser is sent.
    ///
    /// # Errors
    /// `BadRequest` where this browser has not begun such a sign-in.
    pub async fn cancel_form(&self, state: &str, browser: Option<&str>) -> OperationResult<String> {
        let (_, pending) = self.form_of(state, browser).await?;
        self.take_sign_in(state).await?;
        let cancelled = refusal("access_denied", "the sign-in was cancelled");
        Ok(pending.returning.refused(&cancelled))
    }

    async fn form_of(
        &self,
        state: &str,
        browser: Option<&str>,
    ) -> OperationResult<(Application, Pending)> {
        let (application, pending) = self.sign_in_of(state, browser).await?;
        match pending.way {
            Way::Form => Ok((application, pending)),
            Way::Provider { .. } => Err(OperationError::bad_request(
                "this sign-in is the provider's",
            )),
        }
    }

    async fn signed_in(
        &self,
        application: &Application,
        request: &AuthorizeRequest,
        fields: FormFields,
        visitor: Asker,
    ) -> OperationResult<(AccountInput, Resolved)> {
        let missing = |what| OperationError::bad_request(format!("{what} is missing"));
        // An address that is fixed is not the browser's to choose.
        let email = request.auth_email.clone().or(fields.email);
        let email = email.ok_or_else(|| missing("the address"))?;
        let password = fields.password.ok_or_else(|| missing("the password"))?;
        let mut input = AccountInput {
            service_type: request.service_type.clone(),
            active: true,
            email: Some(email.trim().to_owned()),
            password: Some(password),
            login: fields.login,
            server_url: fields.server_url,
            server_url2: fields.server_url2,
            client_org_id: request.client_org_id.clone(),
            scopes: request.scopes.clone(),
            ..AccountInput::default()
        };
        if let Some(id) = request.account
            && let Ok(account) = self.account_of(application, id).await
        {
            // Whether its certificate is good was decided with the application's credentials.
            input.trust_server = AccountDetails::of(&account).trust_server;
        }
        let Asker::Visitor(address) = visitor else {
            return Err(OperationError::internal("a form is a visitor's"));
        };
        let visit = self.inner.connecting.throttle.visit(address)?;
        let mut resolved = self.resolve(&input).await?;
        self.check_ports(&resolved.mailbox)?;
        visit.succeeded();
        self.prove(visitor, &input, &mut resolved).await?;
        Ok((input, resolved))
    }

    /// A form that anybody can open must not be a way to look at any port of any host.
    fn check_ports(&self, mailbox: &ConnectedMailbox) -> OperationResult<()> {
        let ports = &self.inner.config.sign_in_ports;
        for url in [&mailbox.server_url, &mailbox.server_url2]
            .into_iter()
            .flatten()
        {
            let port = Url::parse(url).ok().and_then(|url| url.port());
            if !port.is_some_and(|port| ports.contains(&port)) {
                return Err(OperationError::bad_request(format!(
                    "mail servers are reached on the ports {ports:?} only"
                )));
            }
        }
        Ok(())
    }
}

fn form(pending: &Pending) -> SignInForm {
    let request = &pending.request;
    SignInForm {
        service_type: request.service_type.clone(),
        email: request.auth_email.clone().or(request.login_hint.clone()),
        email_is_fixed: request.auth_email.is_some(),
        server_url: request.server_url.clone(),
        return_url: pending.returning.return_url.clone(),
    }
}
