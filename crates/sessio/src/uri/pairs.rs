//! Serializes serde values as pairs, for queries and forms (rules P-21, P-22).

use std::fmt;

use serde::ser::{self, Impossible, Serialize, Serializer};

/// The pairs of a struct or map, in its order, or of a sequence of pairs. A sequence as a value
/// gives one pair for each element, and `None` gives no pair.
pub(crate) fn of<T: Serialize + ?Sized>(value: &T) -> Result<Pairs, Unfit> {
    let mut pairs = Vec::new();
    value.serialize(Outer { pairs: &mut pairs })?;
    Ok(pairs)
}

type Pairs = Vec<(String, String)>;

/// The reason why a value has no pairs.
#[derive(Debug)]
pub(crate) struct Unfit(String);

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unfit {}

impl ser::Error for Unfit {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

fn unfit<T>(what: &str, place: &str) -> Result<T, Unfit> {
    Err(Unfit(format!("{what} cannot be {place}")))
}

/// Serializes a value that has pairs.
struct Outer<'a> {
    pairs: &'a mut Pairs,
}

/// Serializes the value of a key: one text, several or none.
struct Value<'a> {
    pairs: &'a mut Pairs,
    key: &'a str,
    is_element: bool,
}

/// Serializes one text, or none.
struct Text;

/// Serializes one pair of a sequence.
struct Pair<'a> {
    pairs: &'a mut Pairs,
    key: Option<String>,
}

/// Rejects scalars.
macro_rules! refused {
    ($place:literal: $($name:ident($type:ty) $what:literal;)*) => {
        $(fn $name(self, _: $type) -> Result<Self::Ok, Unfit> { unfit($what, $place) })*
    };
}

/// Rejects all scalars where only a container is valid.
macro_rules! scalars_refused {
    ($place:literal) => {
        refused! { $place:
            serialize_bool(bool) "a truth value"; serialize_i8(i8) "a number"; serialize_i16(i16) "a number";
            serialize_i32(i32) "a number"; serialize_i64(i64) "a number"; serialize_u8(u8) "a number";
            serialize_u16(u16) "a number"; serialize_u32(u32) "a number"; serialize_u64(u64) "a number";
            serialize_f32(f32) "a number"; serialize_f64(f64) "a number"; serialize_char(char) "a character";
            serialize_str(&str) "a text"; serialize_bytes(&[u8]) "bytes";
        }
    };
}

/// Rejects the composites that no serializer here accepts.
macro_rules! composites_refused {
    ($place:literal) => {
        type SerializeTupleStruct = Impossible<Self::Ok, Unfit>;
        type SerializeTupleVariant = Impossible<Self::Ok, Unfit>;
        type SerializeStructVariant = Impossible<Self::Ok, Unfit>;

        fn serialize_tuple_struct(
            self,
            _: &'static str,
            _: usize,
        ) -> Result<Self::SerializeTupleStruct, Unfit> {
            unfit("a tuple", $place)
        }
        fn serialize_newtype_variant<T: Serialize + ?Sized>(
            self,
            _: &'static str,
            _: u32,
            _: &'static str,
            _: &T,
        ) -> Result<Self::Ok, Unfit> {
            unfit("a variant with a value", $place)
        }
        fn serialize_tuple_variant(
            self,
            _: &'static str,
            _: u32,
            _: &'static str,
            _: usize,
        ) -> Result<Self::SerializeTupleVariant, Unfit> {
            unfit("a variant with values", $place)
        }
        fn serialize_struct_variant(
            self,
            _: &'static str,
            _: u32,
            _: &'static str,
            _: usize,
        ) -> Result<Self::SerializeStructVariant, Unfit> {
            unfit("a variant with values", $place)
        }
    };
}

impl<'a> Serializer for Outer<'a> {
    type Ok = ();
    type Error = Unfit;
    type SerializeSeq = Self;
    type SerializeTuple = Self;
    type SerializeMap = Pair<'a>;
    type SerializeStruct = Self;

    scalars_refused!("pairs");
    composites_refused!("pairs");

    fn serialize_none(self) -> Result<(), Unfit> {
        Ok(())
    }
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Unfit> {
        value.serialize(self)
    }
    fn serialize_unit(self) -> Result<(), Unfit> {
        Ok(())
    }
    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Unfit> {
        Ok(())
    }
    fn serialize_unit_variant(self, _: &'static str, _: u32, _: &'static str) -> Result<(), Unfit> {
        unfit("a variant", "pairs")
    }
    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), Unfit> {
        value.serialize(self)
    }
    fn serialize_seq(self, _: Option<usize>) -> Result<Self, Unfit> {
        Ok(self)
    }
    fn serialize_tuple(self, _: usize) -> Result<Self, Unfit> {
        Ok(self)
    }
    fn serialize_map(self, _: Option<usize>) -> Result<Pair<'a>, Unfit> {
        Ok(Pair { pairs: self.pairs, key: None })
    }
    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self, Unfit> {
        Ok(self)
    }
}

impl ser::SerializeSeq for Outer<'_> {
    type Ok = ();
    type Error = Unfit;
    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unfit> {
        value.serialize(Pair { pairs: self.pairs, key: None })
    }
    fn end(self) -> Result<(), Unfit> {
        Ok(())
    }
}

impl ser::SerializeTuple for Outer<'_> {
    type Ok = ();
    type Error = Unfit;
    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unfit> {
        ser::SerializeSeq::serialize_element(self, value)
    }
    fn end(self) -> Result<(), Unfit> {
        Ok(())
    }
}

impl ser::SerializeStruct for Outer<'_> {
    type Ok = ();
    type Error = Unfit;
    fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), Unfit> {
        value.serialize(Value { pairs: self.pairs, key, is_element: false })
    }
    fn end(self) -> Result<(), Unfit> {
        Ok(())
    }
}

impl Pair<'_> {
    fn key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Unfit> {
        match key.serialize(Text)? {
            Some(key) => self.key = Some(key),
            None => return unfit("nothing", "a key"),
        }
        Ok(())
    }

    fn value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unfit> {
        let Some(key) = self.key.take() else { return unfit("a value without a key", "a pair") };
        value.serialize(Value { pairs: self.pairs, key: &key, is_element: false })
    }
}

impl ser::SerializeMap for Pair<'_> {
    type Ok = ();
    type Error = Unfit;
    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Unfit> {
        self.key(key)
    }
    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unfit> {
        self.value(value)
    }
    fn end(self) -> Result<(), Unfit> {
        Ok(())
    }
}

impl Serializer for Pair<'_> {
    type Ok = ();
    type Error = Unfit;
    type SerializeSeq = Self;
    type SerializeTuple = Self;
    type SerializeMap = Impossible<(), Unfit>;
    type SerializeStruct = Impossible<(), Unfit>;

    scalars_refused!("a pair");
    composites_refused!("a pair");

    fn serialize_none(self) -> Result<(), Unfit> {
        Ok(())
    }
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Unfit> {
        value.serialize(self)
    }
    fn serialize_unit(self) -> Result<(), Unfit> {
        unfit("nothing", "a pair")
    }
    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Unfit> {
        unfit("nothing", "a pair")
    }
    fn serialize_unit_variant(self, _: &'static str, _: u32, _: &'static str) -> Result<(), Unfit> {
        unfit("a variant", "a pair")
    }
    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), Unfit> {
        value.serialize(self)
    }
    fn serialize_seq(self, length: Option<usize>) -> Result<Self, Unfit> {
        self.serialize_tuple(length.unwrap_or_default())
    }
    fn serialize_tuple(self, length: usize) -> Result<Self, Unfit> {
        if length == 2 { Ok(self) } else { unfit("a sequence that has not two elements", "a pair") }
    }
    fn serialize_map(self, _: Option<usize>) -> Result<Self::SerializeMap, Unfit> {
        unfit("a map", "a pair")
    }
    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeStruct, Unfit> {
        unfit("a struct", "a pair")
    }
}

impl ser::SerializeSeq for Pair<'_> {
    type Ok = ();
    type Error = Unfit;
    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unfit> {
        if self.key.is_none() { self.key(value) } else { self.value(value) }
    }
    fn end(self) -> Result<(), Unfit> {
        Ok(())
    }
}

impl ser::SerializeTuple for Pair<'_> {
    type Ok = ();
    type Error = Unfit;
    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unfit> {
        ser::SerializeSeq::serialize_element(self, value)
    }
    fn end(self) -> Result<(), Unfit> {
        Ok(())
    }
}

/// Accepts scalars as one text.
macro_rules! texts {
    ($($name:ident($type:ty))*) => {
        $(fn $name(self, value: $type) -> Result<Self::Ok, Unfit> { self.text(value.to_string()) })*
    };
}

macro_rules! scalars {
    () => {
        texts! {
            serialize_bool(bool) serialize_i8(i8) serialize_i16(i16) serialize_i32(i32) serialize_i64(i64)
            serialize_i128(i128) serialize_u8(u8) serialize_u16(u16) serialize_u32(u32) serialize_u64(u64)
            serialize_u128(u128) serialize_char(char) serialize_str(&str)
        }
        fn serialize_f32(self, value: f32) -> Result<Self::Ok, Unfit> {
            // Use its own shortest digits: as a double it would have others.
            self.serialize_f64(value.to_string().parse().unwrap_or_else(|_| value.into()))
        }
        fn serialize_f64(self, value: f64) -> Result<Self::Ok, Unfit> {
            if !value.is_finite() {
                return unfit("what is no number", "a text");
            }
            self.text(crate::base::decimal::float(value))
        }
        fn serialize_bytes(self, value: &[u8]) -> Result<Self::Ok, Unfit> {
            match str::from_utf8(value) {
                Ok(text) => self.text(text.to_owned()),
                Err(_) => unfit("bytes that are no UTF-8", "a text"),
            }
        }
        fn serialize_unit_variant(
            self,
            _: &'static str,
            _: u32,
            name: &'static str,
        ) -> Result<Self::Ok, Unfit> {
            self.text(name.to_owned())
        }
        fn serialize_newtype_struct<T: Serialize + ?Sized>(
            self,
            _: &'static str,
            value: &T,
        ) -> Result<Self::Ok, Unfit> {
            value.serialize(self)
        }
        fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Self::Ok, Unfit> {
            value.serialize(self)
        }
        fn serialize_none(self) -> Result<Self::Ok, Unfit> {
            Ok(Default::default())
        }
        fn serialize_unit(self) -> Result<Self::Ok, Unfit> {
            Ok(Default::default())
        }
        fn serialize_unit_struct(self, _: &'static str) -> Result<Self::Ok, Unfit> {
            Ok(Default::default())
        }
    };
}

impl Value<'_> {
    fn text(self, text: String) -> Result<(), Unfit> {
        self.pairs.push((self.key.to_owned(), text));
        Ok(())
    }
}

impl Serializer for Value<'_> {
    type Ok = ();
    type Error = Unfit;
    type SerializeSeq = Self;
    type SerializeTuple = Self;
    type SerializeMap = Impossible<(), Unfit>;
    type SerializeStruct = Impossible<(), Unfit>;

    scalars!();
    composites_refused!("a value");

    fn serialize_seq(self, _: Option<usize>) -> Result<Self, Unfit> {
        if self.is_element { unfit("a sequence within a sequence", "a value") } else { Ok(self) }
    }
    fn serialize_tuple(self, _: usize) -> Result<Self, Unfit> {
        self.serialize_seq(None)
    }
    fn serialize_map(self, _: Option<usize>) -> Result<Self::SerializeMap, Unfit> {
        unfit("a map", "a value")
    }
    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeStruct, Unfit> {
        unfit("a struct", "a value")
    }
}

impl ser::SerializeSeq for Value<'_> {
    type Ok = ();
    type Error = Unfit;
    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unfit> {
        value.serialize(Value { pairs: self.pairs, key: self.key, is_element: true })
    }
    fn end(self) -> Result<(), Unfit> {
        Ok(())
    }
}

impl ser::SerializeTuple for Value<'_> {
    type Ok = ();
    type Error = Unfit;
    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unfit> {
        ser::SerializeSeq::serialize_element(self, value)
    }
    fn end(self) -> Result<(), Unfit> {
        Ok(())
    }
}

impl Text {
    fn text(self, text: String) -> Result<Option<String>, Unfit> {
        Ok(Some(text))
    }
}

impl Serializer for Text {
    type Ok = Option<String>;
    type Error = Unfit;
    type SerializeSeq = Impossible<Option<String>, Unfit>;
    type SerializeTuple = Impossible<Option<String>, Unfit>;
    type SerializeMap = Impossible<Option<String>, Unfit>;
    type SerializeStruct = Impossible<Option<String>, Unfit>;

    scalars!();
    composites_refused!("a key");

    fn serialize_seq(self, _: Option<usize>) -> Result<Self::SerializeSeq, Unfit> {
        unfit("a sequence", "a key")
    }
    fn serialize_tuple(self, _: usize) -> Result<Self::SerializeTuple, Unfit> {
        unfit("a sequence", "a key")
    }
    fn serialize_map(self, _: Option<usize>) -> Result<Self::SerializeMap, Unfit> {
        unfit("a map", "a key")
    }
    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeStruct, Unfit> {
        unfit("a struct", "a key")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Serialize;

    use super::of;
    use crate::base::kind::Kind;
    use crate::message::body::Body;

    #[derive(Serialize)]
    struct Search<'a> {
        q: &'a str,
        tags: Vec<&'a str>,
        page: Option<u32>,
        exact: bool,
        score: f64,
        small: f32,
        order: Order,
        #[serde(rename = "per page")]
        per_page: u8,
        none: Option<&'a str>,
        nothing: (),
        mixed: [Option<char>; 2],
        empty: &'a str,
        no_tags: [&'a str; 0],
    }

    #[derive(Serialize)]
    #[serde(rename_all = "lowercase")]
    enum Order {
        Newest,
        Of(u8),
    }

    #[derive(Serialize)]
    struct Named(Vec<(String, i64)>);

    fn encoded<T: Serialize + ?Sized>(value: &T) -> String {
        let pairs = of(value).unwrap();
        crate::Params::from_iter(pairs).encode()
    }

    #[test]
    fn p21_p22_values_of_serde_are_the_pairs_that_they_would_be_by_hand() {
        let search = Search {
            q: "a b&\u{e9}",
            tags: vec!["x", "y"],
            page: Some(2),
            exact: true,
            score: 1.0,
            small: 0.1,
            order: Order::Newest,
            per_page: 50,
            none: None,
            nothing: (),
            mixed: [None, Some('z')],
            empty: "",
            no_tags: [],
        };
        assert_eq!(
            encoded(&search),
            "q=a+b%26%C3%A9&tags=x&tags=y&page=2&exact=true&score=1.0&small=0.1&order=newest&per+page=50&mixed=z&empty="
        );
        assert_eq!(encoded(&[("b", "1"), ("a", "2"), ("b", "3")]), "b=1&a=2&b=3");
        assert_eq!(encoded(&(("b", 1), ("a", Some([true, false])))), "b=1&a=true&a=false");
        assert_eq!(encoded(&BTreeMap::from([(2, -1), (1, 5)])), "1=5&2=-1");
        assert_eq!(encoded(&Named(vec![("a".into(), i64::MIN)])), "a=-9223372036854775808");
        assert_eq!(encoded(&Some(serde_json::json!({"k": ["v", null, 1.5]}))), "k=v&k=1.5");
        assert_eq!((encoded(&()), encoded(&None::<Named>), encoded(&[0; 0])), Default::default());
    }

    #[test]
    fn p22_what_is_no_pair_is_refused() {
        let refused =
            |value: &dyn Fn() -> Result<super::Pairs, super::Unfit>| value().unwrap_err().to_string();
        for why in [
            refused(&|| of("text")),
            refused(&|| of(&5)),
            refused(&|| of(&[1, 2])),
            refused(&|| of(&[("one",)])),
            refused(&|| of(&[("a", 1, 2)])),
            refused(&|| of(&[("a", ("b", [1]))])),
            refused(&|| of(&BTreeMap::from([("a", BTreeMap::from([("b", 1)]))]))),
            refused(&|| of(&BTreeMap::from([([1], 1)]))),
            refused(&|| of(&BTreeMap::from([((), 1)]))),
            refused(&|| of(&[("a", f64::NAN)])),
            refused(&|| of(&[("a", Order::Of(1))])),
            refused(&|| of(&Order::Newest)),
        ] {
            assert!(why.contains("cannot be"), "{why}");
        }
        assert_eq!(Body::form_from(&[("a", f32::INFINITY)]).unwrap_err().kind(), Kind::InvalidBody);
    }
}
