/// Certificates of test servers, made with openssl(1) for these tests alone.
enum Certificates {
    /// Signs the others; valid for a hundred years, as they are.
    static let authority = """
        -----BEGIN CERTIFICATE-----
        MIIBiDCCAS+gAwIBAgIUJJFMLcPv8FTHr8xnFcKEjjAucDMwCgYIKoZIzj0EAwIw
        GTEXMBUGA1UEAwwOdGVzdC1hdXRob3JpdHkwIBcNMjYxMTI4MDEyMDIyWhgPMjEy
        NjExMDQwMTIwMjJaMBkxFzAVBgNVBAMMDnRlc3QtYXV0aG9yaXR5MFkwEwYHKoZI
        zj0CAQYIKoZIzj0DAQcDQgAEoyZRBiafqqtbbtecKKcBQ7lh/jdMAOr6HFXFiTUr
        tZ+bvvIkVLctzX0IfzH561NEP44pxc7r0wE2HXAX2iiRDaNTMFEwHQYDVR0OBBYE
        FNIrXuvSOvLtPmm9HryPxyoXTfndMB8GA1UdIwQYMBaAFNIrXuvSOvLtPmm9HryP
        xyoXTfndMA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDRwAwRAIgYRausDr7
        FghTpR761it3COg/uu6D28UDQuPFxdLadhACIBeQpiNjpqIPbfzdGDBE/eDQImCz
        HvCXLc5tcflq/2nx
        -----END CERTIFICATE-----
        """

    /// For localhost and 127.0.0.1.
    static let good = """
        -----BEGIN CERTIFICATE-----
        MIIBkDCCATWgAwIBAgIUDgjvmjkbZfP7mI9c+PRYqdOENvgwCgYIKoZIzj0EAwIw
        GTEXMBUGA1UEAwwOdGVzdC1hdXRob3JpdHkwIBcNMjYxMTI4MDEyMDIyWhgPMjEy
        NjExMDQwMTIwMjJaMBQxEjAQBgNVBAMMCWxvY2FsaG9zdDBZMBMGByqGSM49AgEG
        CCqGSM49AwEHA0IABJO+NvLIdtsvr40SUqhFFpPoatTsjYZhTuhelit4gkz8aYcQ
        +x/5A0+srZ+cwCiThleQYesbrBVpfU8fp/0rmDKjXjBcMBoGA1UdEQQTMBGCCWxv
        Y2FsaG9zdIcEfwAAATAdBgNVHQ4EFgQUZXBgG6lmq8QbA73yBDpNE/AyLuUwHwYD
        VR0jBBgwFoAU0ite69I68u0+ab0evI/HKhdN+d0wCgYIKoZIzj0EAwIDSQAwRgIh
        ALC0frgJTm9Q1VC+69GX5Aiyes9pd6db0uXRNOI+tbauAiEAvSfs2BDJdsp+jE80
        f/U96ksVZjmdesDNvvx6LjS6J5g=
        -----END CERTIFICATE-----
        """

    /// For cdn.example.com.
    static let other = """
        -----BEGIN CERTIFICATE-----
        MIIBjDCCATGgAwIBAgIUDgjvmjkbZfP7mI9c+PRYqdOENvowCgYIKoZIzj0EAwIw
        GTEXMBUGA1UEAwwOdGVzdC1hdXRob3JpdHkwIBcNMjYxMTI4MDEyNzAyWhgPMjEy
        NjExMDQwMTI3MDJaMBAxDjAMBgNVBAMMBW90aGVyMFkwEwYHKoZIzj0CAQYIKoZI
        zj0DAQcDQgAEk7428sh22y+vjRJSqEUWk+hq1OyNhmFO6F6WK3iCTPxphxD7H/kD
        T6ytn5zAKJOGV5Bh6xusFWl9Tx+n/SuYMqNeMFwwGgYDVR0RBBMwEYIPY2RuLmV4
        YW1wbGUuY29tMB0GA1UdDgQWBBRlcGAbqWarxBsDvfIEOk0T8DIu5TAfBgNVHSME
        GDAWgBTSK17r0jry7T5pvR68j8cqF0353TAKBggqhkjOPQQDAgNJADBGAiEAnqtm
        QjoR0iTjtXu3YvY/QY3vqiHsEJ5Zc6O3MwEqA7wCIQCSjH2W9BnNfFU85QhQWn8E
        oyr2wJqD8aGFiS/CuxykHQ==
        -----END CERTIFICATE-----
        """

    /// For localhost, until 1 February 2020.
    static let expired = """
        -----BEGIN CERTIFICATE-----
        MIIBeTCCASCgAwIBAgIBATAKBggqhkjOPQQDAjAZMRcwFQYDVQQDDA50ZXN0LWF1
        dGhvcml0eTAeFw0yMDAxMDEwMDAwMDBaFw0yMDAyMDEwMDAwMDBaMBQxEjAQBgNV
        BAMMCWxvY2FsaG9zdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABJO+NvLIdtsv
        r40SUqhFFpPoatTsjYZhTuhelit4gkz8aYcQ+x/5A0+srZ+cwCiThleQYesbrBVp
        fU8fp/0rmDKjXjBcMBoGA1UdEQQTMBGCCWxvY2FsaG9zdIcEfwAAATAdBgNVHQ4E
        FgQUZXBgG6lmq8QbA73yBDpNE/AyLuUwHwYDVR0jBBgwFoAU0ite69I68u0+ab0e
        vI/HKhdN+d0wCgYIKoZIzj0EAwIDRwAwRAIgXLDXRKfgh4k6JkOoEC3QWyWUopyv
        sOBr0pv2NLr5ECcCICfH/UWiWIUjBKp0Z09kYiOQQz/U1pDhHyg4qnrTr2ss
        -----END CERTIFICATE-----
        """

    /// Of all servers.
    static let key = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgv7f2efngHxOZ+As/
        eTn6wtqDAkxWj8TW+9HEBLjrQJ+hRANCAASTvjbyyHbbL6+NElKoRRaT6GrU7I2G
        YU7oXpYreIJM/GmHEPsf+QNPrK2fnMAok4ZXkGHrG6wVaX1PH6f9K5gy
        -----END PRIVATE KEY-----
        """
}
