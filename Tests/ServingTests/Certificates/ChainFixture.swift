/// A certificate without subjectAltName, valid for a hundred years, and that of its issuer, valid for ten days.
enum ChainFixture {
    /// In seconds since 1970, UTC.
    static let issuerEnds: Int64 = 1_796_742_916
    static let leaf = Array(
        """
        -----BEGIN CERTIFICATE-----
        MIIBKTCBzwIUGGkEfQuFU6lye0ZbKyqugdAP2ygwCgYIKoZIzj0EAwIwETEPMA0G
        A1UEAwwGaXNzdWVyMCAXDTI2MTEyODE1MTUxN1oYDzIxMjYxMTA0MTUxNTE3WjAb
        MRkwFwYDVQQDDBBsZWFmLmV4YW1wbGUuY29tMFkwEwYHKoZIzj0CAQYIKoZIzj0D
        AQcDQgAE3H1wLUxbsnHL6pSpU5VpL7+LHzI5qDRdTsbfJeMTUW4Xg307NVowAbpY
        1kX/uIBCEvn85Qs93nRwAJX4pzo6zDAKBggqhkjOPQQDAgNJADBGAiEAl/cs9uJf
        WjMTAXD7FN4sxD4/gJnNVJlFPhdK6haIjjwCIQCQIfdxkbHQjSObIuOCPVdZUKKX
        FwWGHtjj9EuvzAOGEw==
        -----END CERTIFICATE-----

        """.utf8)
    static let leafKey = Array(
        """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgv8TKPMPxVLuKEo4E
        m9VeScbC9wwysaYjOrdKXXIOzqmhRANCAATcfXAtTFuyccvqlKlTlWkvv4sfMjmo
        NF1Oxt8l4xNRbheDfTs1WjABuljWRf+4gEIS+fzlCz3edHAAlfinOjrM
        -----END PRIVATE KEY-----

        """.utf8)
    static let issuer = Array(
        """
        -----BEGIN CERTIFICATE-----
        MIIBeDCCAR2gAwIBAgIUAQYgeGUNoVNl/bV2W30JsEMbHs4wCgYIKoZIzj0EAwIw
        ETEPMA0GA1UEAwwGaXNzdWVyMB4XDTI2MTEyODE1MTUxNloXDTI2MTIwODE1MTUx
        NlowETEPMA0GA1UEAwwGaXNzdWVyMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE
        jViuj5/oNcE+twcmz7XaROzHfhy07PKFD2nG8L4DggGMKSQ25prVXJ3t578Egtp9
        mxPhpBztUcY95vvNVAK+V6NTMFEwHQYDVR0OBBYEFHQQ+3/Eq04e69a4J2d5WmH+
        OLfdMB8GA1UdIwQYMBaAFHQQ+3/Eq04e69a4J2d5WmH+OLfdMA8GA1UdEwEB/wQF
        MAMBAf8wCgYIKoZIzj0EAwIDSQAwRgIhAPci/K0Cjx6Bg7kRNsB7FmrouHxC7mwB
        HFvDKDx/vXkWAiEAwcHJMB6swbi61J1KiWktMjGjRXpMgOzqC1/nRSYoUGc=
        -----END CERTIFICATE-----

        """.utf8)
}
