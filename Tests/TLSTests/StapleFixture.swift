import Foundation

/// A certificate, its authority's, and what `openssl ocsp` says about it and about another, valid for a hundred years where nothing else is said.
enum StapleFixture {
    static let leaf = Array(
        """
        -----BEGIN CERTIFICATE-----
        MIIBdzCCAR2gAwIBAgIDAIoBMAoGCCqGSM49BAMCMBYxFDASBgNVBAMMC3N0YXBs
        ZS1yb290MCAXDTI2MTEyODEyMTQxMloYDzIxMjYxMTA0MTIxNDEyWjAPMQ0wCwYD
        VQQDDARsZWFmMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE2fcBQtsZfUsVpKuT
        D0HydX8en+wu7TRUgl70gFIprobtEpZMuj2CL/V21d9P1QEpFebJ/w4PIzEJ8DJf
        rwdzFKNfMF0wGwYDVR0RBBQwEoIQbGVhZi5leGFtcGxlLmNvbTAdBgNVHQ4EFgQU
        iyZiThy3wanOj3e5Dps7vs21Tn4wHwYDVR0jBBgwFoAUd28phg91cqdMWiN/NW0t
        FSF9Oo0wCgYIKoZIzj0EAwIDSAAwRQIhANi8/dLBQSFLCgDMIhwjoGtuRp+r+EFW
        vIzbVHJxAFFjAiBr4v/FfMeuOvU1GWKKKwoy394OI+jwz7YnraSTjJIdjg==
        -----END CERTIFICATE-----

        """.utf8)
    static let leafKey = Array(
        """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgTqQNih47fJVnGehd
        eVgxXaugJxMJgd764lDTDs6Nd0uhRANCAATZ9wFC2xl9SxWkq5MPQfJ1fx6f7C7t
        NFSCXvSAUimuhu0Slky6PYIv9XbV30/VASkV5sn/Dg8jMQnwMl+vB3MU
        -----END PRIVATE KEY-----

        """.utf8)
    static let root = Array(
        """
        -----BEGIN CERTIFICATE-----
        MIIBgzCCASmgAwIBAgIUSkdSJhLcM9VztLh15tMbejr10rcwCgYIKoZIzj0EAwIw
        FjEUMBIGA1UEAwwLc3RhcGxlLXJvb3QwIBcNMjYxMTI4MTIxNDEyWhgPMjEyNjEx
        MDQxMjE0MTJaMBYxFDASBgNVBAMMC3N0YXBsZS1yb290MFkwEwYHKoZIzj0CAQYI
        KoZIzj0DAQcDQgAEbkdcUimkSHJ20a55oFH1sbklUrgozrpUo5NUiXNnTaXbITfR
        OzNghN6NH9IA1sa7S0EAFnQMhbrEvsVxGs6mp6NTMFEwHQYDVR0OBBYEFHdvKYYP
        dXKnTFojfzVtLRUhfTqNMB8GA1UdIwQYMBaAFHdvKYYPdXKnTFojfzVtLRUhfTqN
        MA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDSAAwRQIhAIlcfxzn11q9etaV
        5cKx8RRTA8ZXW4lroZaPzsyelCPDAiBOUtp5xT/g9wSvEHBA/QbqWKqTjPOxWzeC
        TehBn/MC8A==
        -----END CERTIFICATE-----

        """.utf8)
    static let good = der(
        """
        MIIBMAoBAKCCASkwggElBgkrBgEFBQcwAQEEggEWMIIBEjCBuKEYMBYxFDASBgNVBAMMC3N0YXBsZS1yb290GA8yMDI2MTEyODEyMTQxMlowZjBkMDwwCQYF
        Kw4DAhoFAAQUe17e7sVxhx3xH4dSKwNWU1Z0W1wEFHdvKYYPdXKnTFojfzVtLRUhfTqNAgMAigGAABgPMjAyNjExMjgxMjE0MTJaoBEYDzIxMjUwNjIyMTIx
        NDEyWqEjMCEwHwYJKwYBBQUHMAECBBIEECh757W3k5hNrMf5gutb7yUwCgYIKoZIzj0EAwIDSQAwRgIhAMGUlsQ3xrZqcGeLhvew+xSspuUOp2ClffExyrhb
        E1BAAiEA9R/5dIyKDmJ02tXFCcEuCDXE5ReD87lh78Wtg5Hcq0I=
        """)
    /// Until 2026-11-29 12:14:12 UTC.
    static let ofADay = der(
        """
        MIIBMAoBAKCCASkwggElBgkrBgEFBQcwAQEEggEWMIIBEjCBuKEYMBYxFDASBgNVBAMMC3N0YXBsZS1yb290GA8yMDI2MTEyODEyMTQxMlowZjBkMDwwCQYF
        Kw4DAhoFAAQUe17e7sVxhx3xH4dSKwNWU1Z0W1wEFHdvKYYPdXKnTFojfzVtLRUhfTqNAgMAigGAABgPMjAyNjExMjgxMjE0MTJaoBEYDzIwMjYxMTI5MTIx
        NDEyWqEjMCEwHwYJKwYBBQUHMAECBBIEEEJHjYWF1mPOAnUqOiYwV4UwCgYIKoZIzj0EAwIDSQAwRgIhAPz2tY9HYUI2anDADBPRIZyI01ZFhYw3oG0pdyUh
        aB4kAiEA5CP5vsDUXmJyjDcyDpZWiNRnR1dq397YYeHBe5V//q4=
        """)
    static let ofAnother = der(
        """
        MIIBLwoBAKCCASgwggEkBgkrBgEFBQcwAQEEggEVMIIBETCBuKEYMBYxFDASBgNVBAMMC3N0YXBsZS1yb290GA8yMDI2MTEyODEyMTQxMlowZjBkMDwwCQYF
        Kw4DAhoFAAQUe17e7sVxhx3xH4dSKwNWU1Z0W1wEFHdvKYYPdXKnTFojfzVtLRUhfTqNAgMAigKAABgPMjAyNjExMjgxMjE0MTJaoBEYDzIxMjUwNjIyMTIx
        NDEyWqEjMCEwHwYJKwYBBQUHMAECBBIEEIiGKbjTEV/VU//vfGXRQQ0wCgYIKoZIzj0EAwIDSAAwRQIhAPMyOhWe1gfhRBxHvAxPjs8jFtj84J25jOoSnAJX
        UlTJAiBH0phzKbNIru/vujSEb1VhcId4KinqyLs6ndVvYnktSg==
        """)
    static let revoked = der(
        """
        MIIBPwoBAKCCATgwggE0BgkrBgEFBQcwAQEEggElMIIBITCByaEYMBYxFDASBgNVBAMMC3N0YXBsZS1yb290GA8yMDI2MTEyODEyMTQxMlowdzB1MDwwCQYF
        Kw4DAhoFAAQUe17e7sVxhx3xH4dSKwNWU1Z0W1wEFHdvKYYPdXKnTFojfzVtLRUhfTqNAgMAigGhERgPMjAyNjExMDEwMDAwMDBaGA8yMDI2MTEyODEyMTQx
        MlqgERgPMjEyNTA2MjIxMjE0MTJaoSMwITAfBgkrBgEFBQcwAQIEEgQQjXH2rBMfTT5bIQjJMMEZCjAKBggqhkjOPQQDAgNHADBEAiA9cKBc1zMNPG6zHtQh
        lzCweES8YQJj7q0llQZFCSyp6gIgDsqsX4ulRCVv53wwOpQtfHGn68S7mE36zs51odEZA2w=
        """)
    /// Without a time at which there is a newer one.
    static let withoutEnd = der(
        """
        MIIBGwoBAKCCARQwggEQBgkrBgEFBQcwAQEEggEBMIH+MIGloRgwFjEUMBIGA1UEAwwLc3RhcGxlLXJvb3QYDzIwMjYxMTI4MTIxNDEyWjBTMFEwPDAJBgUr
        DgMCGgUABBR7Xt7uxXGHHfEfh1IrA1ZTVnRbXAQUd28phg91cqdMWiN/NW0tFSF9Oo0CAwCKAYAAGA8yMDI2MTEyODEyMTQxMlqhIzAhMB8GCSsGAQUFBzAB
        AgQSBBAI6Y6eLsLEmZvTiIp49G6/MAoGCCqGSM49BAMCA0gAMEUCIAU4/mxl35/wkr0gwOP51hfv+ShGaX4x2DkAMkmQ+DE6AiEA0E/eIw1gllG32xQ2TI9f
        wAK0mab7FvmBDqyAGQIAMkw=
        """)

    private static func der(_ text: String) -> [UInt8] { Array(Data(base64Encoded: text, options: .ignoreUnknownCharacters) ?? Data()) }
}
