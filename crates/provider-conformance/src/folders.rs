//! `folders`.

use std::collections::BTreeSet;

use email_model::FolderRole;
use email_provider::Folder;

use crate::{Bench, call};

async fn folders(bench: &Bench) -> Vec<Folder> {
    bench.provider.folders(call()).await.expect("folders")
}

/// Keys are distinct; a parent named is in the list; a path ends with the name.
pub async fn keys_of_folders_are_distinct_and_parents_are_listed(bench: &Bench) {
    let above = bench.folder("Above").await;
    bench.harness.create_folder("Below", Some(&above)).await;
    let listed = bench
        .eventually("both folders are listed", async || {
            let listed = folders(bench).await;
            match listed
                .iter()
                .any(|folder| folder.parent.as_ref() == Some(&above))
            {
                true => Ok(listed),
                false => Err(format!("{listed:?}")),
            }
        })
        .await;
    let keys: BTreeSet<_> = listed.iter().map(|folder| &folder.key).collect();
    assert_eq!(keys.len(), listed.len(), "keys are distinct");
    for folder in &listed {
        assert!(
            folder.parent.iter().all(|parent| keys.contains(parent)),
            "{folder:?}"
        );
        assert!(
            !folder.name.is_empty() && folder.full_name.ends_with(&folder.name),
            "{folder:?}"
        );
    }
    let paths: BTreeSet<_> = listed.iter().map(|folder| &folder.full_name).collect();
    assert_eq!(paths.len(), listed.len(), "paths are distinct");
}

/// At most one folder has a given role; one is the inbox.
pub async fn a_role_is_had_by_at_most_one_folder(bench: &Bench) {
    let listed = folders(bench).await;
    let roles: Vec<FolderRole> = listed.iter().filter_map(|folder| folder.role).collect();
    let distinct: BTreeSet<FolderRole> = roles.iter().copied().collect();
    assert_eq!(distinct.len(), roles.len(), "{roles:?}");
    assert!(distinct.contains(&FolderRole::Inbox));
}

/// The capabilities name the roles for which a folder is known.
pub async fn roles_told_at_sign_in_are_those_of_the_folders(bench: &Bench) {
    let listed = folders(bench).await;
    let roles: BTreeSet<FolderRole> = listed.iter().filter_map(|folder| folder.role).collect();
    let told: BTreeSet<FolderRole> = bench.provider.capabilities().roles.into_iter().collect();
    assert_eq!(told, roles);
}

/// A folder that turns up is listed, below its parent, with its whole path.
pub async fn a_folder_made_at_the_server_is_listed_with_its_path(bench: &Bench) {
    let above = bench.folder("Projekte für Ärzte").await;
    let below = bench
        .harness
        .create_folder("Straße & Haus", Some(&above))
        .await;
    bench
        .eventually("the folder is listed", async || {
            let listed = folders(bench).await;
            let found = |key| listed.iter().find(|folder| folder.key == key);
            let (Some(above), Some(below)) = (found(above.clone()), found(below.clone())) else {
                return Err(format!("{listed:?}"));
            };
            assert_eq!(above.name, "Projekte für Ärzte");
            assert_eq!(below.name, "Straße & Haus");
            assert_eq!(below.parent.as_ref(), Some(&above.key));
            assert_eq!(
                below.full_name,
                format!("{}/Straße & Haus", above.full_name)
            );
            assert!(below.selectable);
            Ok(())
        })
        .await;
}

/// A renamed folder is there under its new name only, with what is in it.
pub async fn a_renamed_folder_is_listed_under_its_new_name(bench: &Bench) {
    let old = bench.folder("Before").await;
    let mail = crate::Mail::new("in-renamed", 0);
    bench.store(&old, &mail).await;
    let new = bench.harness.rename_folder(&old, "After").await;
    bench
        .eventually("the new name is listed", async || {
            let listed = folders(bench).await;
            let names: Vec<_> = listed.iter().map(|folder| folder.name.as_str()).collect();
            let renamed = names.contains(&"After") && !names.contains(&"Before");
            if renamed {
                Ok(())
            } else {
                Err(format!("{names:?}"))
            }
        })
        .await;
    bench.located(&new, &mail.id).await;
}

/// A folder that is gone is not listed.
pub async fn a_deleted_folder_is_not_listed(bench: &Bench) {
    let folder = bench.folder("Short-lived").await;
    let is_listed = async || {
        folders(bench)
            .await
            .iter()
            .any(|listed| listed.key == folder)
    };
    bench
        .eventually("the folder is listed", async || {
            is_listed().await.then_some(()).ok_or("no".into())
        })
        .await;
    bench.harness.delete_folder(&folder).await;
    bench
        .eventually("the folder is gone", async || {
            (!is_listed().await).then_some(()).ok_or("no".into())
        })
        .await;
}
