/// Files as openssl(1) makes them, valid for a hundred years. Their keys are known to everybody.
enum Fixture {
    static let rsa = Array(
        """
        -----BEGIN CERTIFICATE-----
        MIIDLjCCAhagAwIBAgIULOmM8cRZLqh4IrT7ZgV/5qWOg5swDQYJKoZIhvcNAQEL
        BQAwDjEMMAoGA1UEAwwDcnNhMCAXDTI2MTEyODA3MzMwNloYDzIxMjYxMTA0MDcz
        MzA2WjAOMQwwCgYDVQQDDANyc2EwggEiMA0GCSqGSIb3DQEBAQUAA4IBDwAwggEK
        AoIBAQDSuDDpH7hosOA+c/6+40mnNsgMAL95VxuOGJenTUCtAeBEf9uPTDTOEuha
        QP20CmacmqM/lJFUVePvVnb6PyvhIPfP54/9sc+8rTGaXzZLl63KxEBQHNTsK0jQ
        0ga3Hj15yenhRqeCXmROmCA25gyrygFxOFLob2LqEE9KHcKe++doiQWtsCzCcEJf
        3BD9BQKIa+FdSqUaMgF7CNw1bQBe/YCAHbxKXgQK8BOxXl44W/KiZPr2cbXFs1HL
        2N3eLDFXnpUm4Wmac7qpojIbQq9cW0iWUKzo5S+dwRObNGFmVmgmPsp20SEl6z6W
        2++U2DFHBm9Ho2HRWlpytuCSdsqFAgMBAAGjgYEwfzAdBgNVHQ4EFgQUnDWF3tEb
        S7BntmmsNgaw9vyftHwwHwYDVR0jBBgwFoAUnDWF3tEbS7BntmmsNgaw9vyftHww
        DwYDVR0TAQH/BAUwAwEB/zAsBgNVHREEJTAjgg9yc2EuZXhhbXBsZS5jb22CEGJv
        dGguZXhhbXBsZS5jb20wDQYJKoZIhvcNAQELBQADggEBALbfeJFJPPtpLNrBkF0F
        2hRa0Bwm8EHF0Pgwx4nS7DYXTTmXgbJxOLDke3rFt95QhlM2rOPpzYRYYIdHLsC6
        EkhV6gSQC/bafKY874lB0va3pjT6pBDQNPrlASNiqEsrJnRxusRbvb7KPrJYk4+G
        sFTQlY1nF2d99mjSm765sww8scJyZnD8DJ8u1M+Ac8UWSzQJDP99mV2ChG02mH/2
        bBD1WWeAZ/XDoUBk1C31D4FONRwyqv7ztcwQ9K2VQdoIsxbjXwXSNAOX8dJvCQ3f
        EOgRLPpEQeDosVRZ2gjIWdD2Wj2YGKWlxrq6ZuD0pYwWeCypZ8tJUctrLvFtQU9C
        8Yk=
        -----END CERTIFICATE-----

        """.utf8)
    static let rsaKey = Array(
        """
        -----BEGIN PRIVATE KEY-----
        MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQDSuDDpH7hosOA+
        c/6+40mnNsgMAL95VxuOGJenTUCtAeBEf9uPTDTOEuhaQP20CmacmqM/lJFUVePv
        Vnb6PyvhIPfP54/9sc+8rTGaXzZLl63KxEBQHNTsK0jQ0ga3Hj15yenhRqeCXmRO
        mCA25gyrygFxOFLob2LqEE9KHcKe++doiQWtsCzCcEJf3BD9BQKIa+FdSqUaMgF7
        CNw1bQBe/YCAHbxKXgQK8BOxXl44W/KiZPr2cbXFs1HL2N3eLDFXnpUm4Wmac7qp
        ojIbQq9cW0iWUKzo5S+dwRObNGFmVmgmPsp20SEl6z6W2++U2DFHBm9Ho2HRWlpy
        tuCSdsqFAgMBAAECggEAEPaGa3HkAruAZc6pKn06C+W3T24M++vk+jilFrD7nKHK
        x8DiMCQymQdBIKjcM47lyUQSkbb4Rwl+BqGXhNgqhF5GzLwHpaTXhAkONe7lvEqa
        0Tigs8JKarOmUjciFsIusTvtobayG+bU3NXWvAyjZv3lRVPDKtZyqESFWYJRTUJ1
        JHQ6aTuRlkTU9O2S/ZrRTwy5UgiYdgv7NBJpCeVW9uV47J+lK1hhwhkTZLkrrEVN
        78OP2S+TuBIidJkUxVSIqWkedFBQJx6IHM4rHC8FH/vcdqN3/wNj3+1RYHkt01Hy
        eCWuOgwORJZQE43eH9t5i4+87uSP1Ugo4Zw1ocp1yQKBgQDzTNpmMzdDhZ6unuMw
        VOiqrTVRUeGzsFoI7D3/iVzNNJ2Oi89DVH+aHmLm5I0o+xynd04bJpyKaNm8s3ts
        tfvsvmviCMNa52p2JuR40jLBl44eSn/TwbKro5SdiZhodF9NaJgHhiZiAoH8CbtV
        poc2Fo76+xNiHy1U+b1AuIDViQKBgQDdt/jGJ2NjKWm8uDln+y5KAliYq1lLWHmR
        UhJFjccz0j8N+/6D4PbzIFi+zl3rkhem06AFig8WWDwxnzxFKYhNh47gnLDw32DL
        ItUE9BcuJc0n2ICFxAICWsBMfnIYDI4lNI1N/6KRNBl3cuQI6AP6fwA+Um8jHSjH
        naFoiL1KHQKBgQDZdUd/MSej4joCOWE2Qa3zXvzYwibJREY003JWg5++idiJH80Q
        kOW8Coy7cmv4xPjHdYsKGWixDSYP0xvt/no9D7W9QbfZ+BzfncN3eeiDv8H2sP+v
        dOENKBgc9m6SbfEAbwvzLaQA1dz4OHqIA1+2qFMDYIXinZsW6GCPCFmegQKBgG6h
        hptxOfFXz6/gCJzuw3kgVI7RKPwkiHxPhFh6VwRvixDyRVwOm4pTAJUsqcaKngyb
        GgTJj5+ppVdpSgyEncN5uXwwE0YNX+HcXohbN1nKeOTB7ddRJ2N/XuaMTWfck+zS
        nRNnU/m6El78z/X1t059omR2g4f0281GxSxA1pqtAoGAQ1rYM6r2gTMDf9ICv14Y
        t1fm0APJTDNHvi6sbxTyZfxvR5F3r66sNDkKHgPvb/Bz7pE+iRUCqglS4DxTJzzy
        HwQWDbnIgM5SSd2CQaxNeV8WITtB+pQxRpZe3zUA8RBB3tODehJbL5xz9csmfn9g
        AcVmwJAXNgcIggB8tYVKZck=
        -----END PRIVATE KEY-----

        """.utf8)
    static let leaf = Array(
        """
        -----BEGIN CERTIFICATE-----
        MIIBjTCCATKgAwIBAgIUWNRqkRVDq5R+wv5WooAhJ5uEIKMwCgYIKoZIzj0EAwIw
        DzENMAsGA1UEAwwEcm9vdDAgFw0yNjExMjgwNzMzMDZaGA8yMTI2MTEwNDA3MzMw
        NlowDzENMAsGA1UEAwwEbGVhZjBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABHw9
        dt8+T9qQCaE25Otnd6hRMwz0PnqXX7S4GMBPG9P+9WZwF0DJSvHz4szkZ8SqFmmA
        lxKoiwCIUhyrdqZhIO6jajBoMBsGA1UdEQQUMBKCEGxlYWYuZXhhbXBsZS5jb20w
        CQYDVR0TBAIwADAdBgNVHQ4EFgQUQyI+8GiPTZjjeGQjWFm5ZUJVaJMwHwYDVR0j
        BBgwFoAU0E4+o1JZD5u1io6NRZh4X7lBw4EwCgYIKoZIzj0EAwIDSQAwRgIhALGh
        FA5mmUAeIKH7adAQIbW8C6eu/kvCAvW7QYEelYXmAiEA5ffdwnSPnsLb6Z1tMr/E
        EVbiEIrbZE7p05PSv5otOJg=
        -----END CERTIFICATE-----

        """.utf8)
    static let leafKey = Array(
        """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgA91PXesOB4mSrdj2
        9MtyAazXFgNOgPHhUghMGN5H55uhRANCAAR8PXbfPk/akAmhNuTrZ3eoUTMM9D56
        l1+0uBjATxvT/vVmcBdAyUrx8+LM5GfEqhZpgJcSqIsAiFIcq3amYSDu
        -----END PRIVATE KEY-----

        """.utf8)
    static let encryptedLeafKey = Array(
        """
        -----BEGIN ENCRYPTED PRIVATE KEY-----
        MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAhPgQO+n1wwRgICCAAw
        DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEGg4PUrs0VlEs/lsiKv4Cf0EgZCL
        KPnhbUp7jtt12Emy2pOD9POZTxbjcQJsEuSVkhIKS29G8l3JabeS29j/VSuFm7qa
        HH2pfk7K2yqHTiOIGAeumq/Lbx132Q+9DCkEdx7NonAdcpzISw9yHA2zefDPoPtj
        5W6BArHR+95gGpbiYr5yJxC7YexIHTz8B5b5lxl8bnjIXEwaju06+wFA3Vqzy4s=
        -----END ENCRYPTED PRIVATE KEY-----

        """.utf8)
    static let root = Array(
        """
        -----BEGIN CERTIFICATE-----
        MIIBdTCCARugAwIBAgIUK+thngbiYo+WrBVabzgNkdfxkJYwCgYIKoZIzj0EAwIw
        DzENMAsGA1UEAwwEcm9vdDAgFw0yNjExMjgwNzMzMDZaGA8yMTI2MTEwNDA3MzMw
        NlowDzENMAsGA1UEAwwEcm9vdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABP+k
        fS2b+neRZMHOjbb5KPHm/vVqAOd/ob0vFdpJDWh981Kdmf0vd/1RSv0NrqDCfrSw
        wUP9CEQRu88XmGFPcsyjUzBRMB0GA1UdDgQWBBTQTj6jUlkPm7WKjo1FmHhfuUHD
        gTAfBgNVHSMEGDAWgBTQTj6jUlkPm7WKjo1FmHhfuUHDgTAPBgNVHRMBAf8EBTAD
        AQH/MAoGCCqGSM49BAMCA0gAMEUCIQDuENqLPPke/USNZYLBQlIsXgyIYhAZmcC0
        8nkM4iaB9wIgOD3akgdQBfTuPm563KYj0JaQeNhMtHnPJfYLSNcei+8=
        -----END CERTIFICATE-----

        """.utf8)
    static let ed25519Key = Array(
        """
        -----BEGIN PRIVATE KEY-----
        MC4CAQAwBQYDK2VwBCIEINq4q/VoNXStjC55qTBQsmc+qhh0iMUaOIwS9UpRoaQa
        -----END PRIVATE KEY-----

        """.utf8)
}
