/// Keys and certificates that TLS clients do not take, as openssl(1) makes them. Their keys are known to everybody.
enum DoubtFixture {
    static let p224Key = Array(
        """
        -----BEGIN PRIVATE KEY-----
        MHgCAQAwEAYHKoZIzj0CAQYFK4EEACEEYTBfAgEBBBzxpRib99getdfo/vZCmwYd
        DcNJaV2WVG3PCW2ZoTwDOgAEZk8ZQ8OvNUN2YYegsiY8vp7eLR633REftb4Gvxqs
        ypdRWIcmKHXnjLwB+p5INCHLTdtKup41Wpg=
        -----END PRIVATE KEY-----

        """.utf8)
    static let k1Key = Array(
        """
        -----BEGIN PRIVATE KEY-----
        MIGEAgEAMBAGByqGSM49AgEGBSuBBAAKBG0wawIBAQQgEAnCWBuiCI8Af4e8zz0A
        aahTEK6a6L9tZdkSGTRF1EihRANCAAQ9GNWhNx1MDrpZTFH8OJS+fr2vN9BLdjLU
        Y05U9xoYd67kOBOaQj3LltZUrysoWp5U5Zf/uCGi1QXjQncnO1uc
        -----END PRIVATE KEY-----

        """.utf8)
    static let pssKey = Array(
        """
        -----BEGIN PRIVATE KEY-----
        MIICdQIBADALBgkqhkiG9w0BAQoEggJhMIICXQIBAAKBgQDHdkaykmQkTS25VdZn
        rUOaX3imt0h+a2G/sPjkOMBmGuyRv9XGm1MTUUCbQ8Ja/iePoNFjyKXEo7AQeI8p
        O+A+sva+ZPvFFtREKNTUcVtntmUBVFbKyndPErGKOVLnLzh/kXhUXr1fAmuZwNfu
        8IeeOyG5N+aRwYMok8q4fS8/gwIDAQABAoGAORopPzIdrS7TKj3itaeqtOUkG0ZZ
        YKfJQiGd/2gn3JNUqp0qzELnU55tSoXpfDdKiBnYGCL3IgZifzSkd3+GwKsBJpAM
        O7bdb3Bb89HUBSwBA5Xr6G8w8glsV95XHxWo8hWesKacDkR5W2XCMF8Ct31pWZka
        gBSTuW+obu4xsLECQQDligTSmhHbygVZQRD/pKzdcJbA1LCIIAyhhRA1OO/WqTjZ
        jzz08NscaWo0oy7b0JXrAKmeSVnM/vshveqvXqw1AkEA3nSlCLJeyGjhUiMVeoDK
        8qGgYLPfi4n5MV3MQaAEwvW5MFq/TlYYbSZYfllJ7foMRKf+BQXpPQbBlGituwgD
        1wJBAMQGOlgge1/YBvlSN9IaMAZsQFItURTvSdomaNEK7sfDfGlPih8kEfsRi0Go
        mjvexikLR8+FlMscdhs6tVFO6IECQQCvsDHy92SSJPrnMtwwvu0JyQpvtT+05cgP
        7AN4RNfd3dFfVhxG0wpBkgpL51rS/yuXQZIGB5AYaXCTNEUZNJBLAkAarltSHYUD
        Ma1WNpMrLfvtHPDlb4YHIjCaH5HJiCax/UU6fsxLK/rxDGZ732SAb5QyEr9o2ara
        y3YX+I95xv0H
        -----END PRIVATE KEY-----

        """.utf8)
    static let p521 = Array(
        """
        -----BEGIN CERTIFICATE-----
        MIICGjCCAXugAwIBAgIUbTdAJty+ZaQBLImzinAdjDQ8RnMwCgYIKoZIzj0EAwIw
        DzENMAsGA1UEAwwEcDUyMTAgFw0yNjExMjgxODU4MzlaGA8yMTI2MTEwNDE4NTgz
        OVowDzENMAsGA1UEAwwEcDUyMTCBmzAQBgcqhkjOPQIBBgUrgQQAIwOBhgAEAB4W
        oltEy+YRK+WB1FDii7J4Hv3wFNQp/67VBfblBYJNOSGt1tDET66Q3fRASWpv5Cwf
        nVVwhkd/3O0IfTHGOQxLAcHe8YZzMqHR1lLMWDFXOHyf1VxGCj91YFX5bd2b7GCU
        POFBvtZhoWpaNNSR/XjhpNOZab8GSYzW3XmbTe2BgHq2o3AwbjAdBgNVHQ4EFgQU
        m0EmICIn4JpR2kunro6eKOK8g2swHwYDVR0jBBgwFoAUm0EmICIn4JpR2kunro6e
        KOK8g2swDwYDVR0TAQH/BAUwAwEB/zAbBgNVHREEFDASghBwNTIxLmV4YW1wbGUu
        Y29tMAoGCCqGSM49BAMCA4GMADCBiAJCAJSYyd6CI+Oya7a5xAWSE4Orbc/om1PG
        bhUu3xCekmCNbLgAY+3ABfcMLCakGT5/Tzqhn+zfFlnoajAJ4HTZGPpwAkIA9Tu/
        yF9MZ5A2n2XkmFqAMwJa8UGrFXI18AQ8Nn/E6MDpTGie6NhMZBqoD0OzqfQ7vgH5
        D1RA4VMOMMv5FawAaZQ=
        -----END CERTIFICATE-----

        """.utf8)
    static let p521Key = Array(
        """
        -----BEGIN PRIVATE KEY-----
        MIHuAgEAMBAGByqGSM49AgEGBSuBBAAjBIHWMIHTAgEBBEIA6jOzeYdESbZzpr94
        EuX/1poNbOUcp8GT6XsfdXfP2CW4RmGIKven+pU36ecDRzWoIEbKGFzvuCo0oYiV
        I4RulRqhgYkDgYYABAAeFqJbRMvmESvlgdRQ4ouyeB798BTUKf+u1QX25QWCTTkh
        rdbQxE+ukN30QElqb+QsH51VcIZHf9ztCH0xxjkMSwHB3vGGczKh0dZSzFgxVzh8
        n9VcRgo/dWBV+W3dm+xglDzhQb7WYaFqWjTUkf144aTTmWm/BkmM1t15m03tgYB6
        tg==
        -----END PRIVATE KEY-----

        """.utf8)
    static let rsa1024 = Array(
        """
        -----BEGIN CERTIFICATE-----
        MIICIjCCAYugAwIBAgIUJ8uqLpbSR1H+w6Nm9ZVrtR3JmPcwDQYJKoZIhvcNAQEL
        BQAwEjEQMA4GA1UEAwwHcnNhMTAyNDAgFw0yNjExMjgxODU4NDBaGA8yMTI2MTEw
        NDE4NTg0MFowEjEQMA4GA1UEAwwHcnNhMTAyNDCBnzANBgkqhkiG9w0BAQEFAAOB
        jQAwgYkCgYEAneRtap7LQTYMd4x8LPfvmx8QjT7HKKax0ivWcL3daTr6XmtMWn7q
        cHFCTbJvPMu61S7H1VpAaLklzvf9SSfX+ZPiyqJ3U+IKHLGx0Zxqus6piLD6RRoO
        Vq5t8lFoS6pGsUHb/BGMzQvBtki0gRgpT3oGqpPXzLFfD3D954noi3MCAwEAAaNz
        MHEwHQYDVR0OBBYEFIgEzA76L9EzrLUCJ/iq63KfE56gMB8GA1UdIwQYMBaAFIgE
        zA76L9EzrLUCJ/iq63KfE56gMA8GA1UdEwEB/wQFMAMBAf8wHgYDVR0RBBcwFYIT
        cnNhMTAyNC5leGFtcGxlLmNvbTANBgkqhkiG9w0BAQsFAAOBgQAWG7B79Np2Geah
        cCuknKCm5ELYv8RHm6hZIAjBbunsUx/+beAtC6IN8xUQsCsg2cmxDEx+EQAsx7xh
        R0CzXKHegS7MQUwfR6b8kEWlcu1vbnlzOjR+7H5PINTIg7AV41GvyWv6jw+LJrVx
        +WojsxZ5L8Vlw0m3JV43O9ZAU9Y3nA==
        -----END CERTIFICATE-----

        """.utf8)
    static let rsa1024Key = Array(
        """
        -----BEGIN PRIVATE KEY-----
        MIICdgIBADANBgkqhkiG9w0BAQEFAASCAmAwggJcAgEAAoGBAJ3kbWqey0E2DHeM
        fCz375sfEI0+xyimsdIr1nC93Wk6+l5rTFp+6nBxQk2ybzzLutUux9VaQGi5Jc73
        /Ukn1/mT4sqid1PiChyxsdGcarrOqYiw+kUaDlaubfJRaEuqRrFB2/wRjM0LwbZI
        tIEYKU96BqqT18yxXw9w/eeJ6ItzAgMBAAECgYA+nYYe0FZ+x/ZtupLMKo8lD067
        FPhaULEYTjY+g604vCDqLNcc1FQYv3Gx6l9e1tSDEohBPgdpAHPT/li+GET3n2t1
        GSYRqMRyu9zYFBeB80r0Kx68knjE2iiKS5c114BbE92pWFNY6FNjcHObA6Cru+Va
        OLrsVxefnbCxzy+AAQJBANF+nYA4YuuxSjEpnvRbqdqj8XFxuEnkBAWL5zBh546v
        7Siiw4qJJiy5Ai7okkrmIaV99iYTOJckz1qPNiMpa3MCQQDA8U0ZyHpXTwlN2S9H
        URmN3njex0IAMzvgo79665/exgApSpWM5dBm3J4T73oHSBw7jb8vIXPzu/yfTduy
        vGABAkEAm8uPkeVdG26zgDA1t//bJ3A4hGdP6BOcMgvDGKYWsHSA6HFy/jnUm/nS
        d9QZx32xlANC5TnyIeUMF4rddfS9pQJAcgruyKuf7JVR6YrTEDNWiG2UQhHC6D1g
        ShJfrrcxIssj80Qbi1GXUgVbBmuJVF6CGY1aEPCUCd/2nO63SjlgAQJAAPhDJMN/
        yGyohlEBwy06vseKAynGcdxHCdF/7qDCaySvyL/9DFJVI5b6xiGoEVk5l3jpS8tU
        5s7l+W6SY5f/Cg==
        -----END PRIVATE KEY-----

        """.utf8)
    static let client = Array(
        """
        -----BEGIN CERTIFICATE-----
        MIIBrzCCAVWgAwIBAgIUDx/98vJ+S3PA2astPEBC+5Ofma8wCgYIKoZIzj0EAwIw
        ETEPMA0GA1UEAwwGY2xpZW50MCAXDTI2MTEyODE4NTg0MFoYDzIxMjYxMTA0MTg1
        ODQwWjARMQ8wDQYDVQQDDAZjbGllbnQwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNC
        AAToJmoypOQbqddHk1tvsyaRak7VohkU578zznPC1GWXeESJojIr/DMZJft31ldY
        /kh96lLZQE7JA5bSS+zXIv8zo4GIMIGFMB0GA1UdDgQWBBTVYjZVgwiJKZ3DqILe
        QXk65U4jlDAfBgNVHSMEGDAWgBTVYjZVgwiJKZ3DqILeQXk65U4jlDAPBgNVHRMB
        Af8EBTADAQH/MBMGA1UdJQQMMAoGCCsGAQUFBwMCMB0GA1UdEQQWMBSCEmNsaWVu
        dC5leGFtcGxlLmNvbTAKBggqhkjOPQQDAgNIADBFAiBt5CxGcdBI6nm6jJOfhb1N
        XrYDR+Vz0bj/Ed+fOdAQNQIhANe6RDh0i20FYSkqEtkdAXSio0NGnpgScqx9zIFZ
        QbhI
        -----END CERTIFICATE-----

        """.utf8)
    static let clientKey = Array(
        """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg/ZgUUVRuj6RmMFgS
        3nQBVrS4Qto8PAKp9wmuCXfQ75OhRANCAAToJmoypOQbqddHk1tvsyaRak7VohkU
        578zznPC1GWXeESJojIr/DMZJft31ldY/kh96lLZQE7JA5bSS+zXIv8z
        -----END PRIVATE KEY-----

        """.utf8)
}
