//! RFC 5322 bytes to the uniform model: parsing, snippets, quote stripping
