//! Conversion of types of the model to and from columns.

use rusqlite::ToSql;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSqlOutput, ValueRef};

use crate::model::entry::{ArticleId, Slug};
use crate::model::text::is_iri;

impl ToSql for ArticleId {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok((**self).into())
    }
}

impl FromSql for ArticleId {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let text = value.as_str()?;
        if is_iri(text) { Ok(Self::new(text)) } else { Err(FromSqlError::Other("not an id".into())) }
    }
}

impl ToSql for Slug {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok((**self).into())
    }
}

impl FromSql for Slug {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Self::new(value.as_str()?).ok_or_else(|| FromSqlError::Other("not a slug".into()))
    }
}
