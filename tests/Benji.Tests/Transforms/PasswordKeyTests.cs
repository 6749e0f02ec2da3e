using System.Text;
using Benji.Store.Model;
using Benji.Store.Transforms;
using Xunit;

namespace Benji.Tests.Transforms;

public sealed class PasswordKeyTests
{
    private static readonly byte[] Salt = Encoding.ASCII.GetBytes("saltSALTsaltSALTsaltSALTsaltSALTsalt");

    [Fact]
    public void KeyEqualsAnotherImplementation()
    {
        // The first 32 bytes of a well-known vector; checked with Python's hashlib.
        var key = PasswordKey.Derive("passwordPASSWORDpassword", Salt, 4096);
        Assert.Equal(
            "8c0511f4c6e597c6ac6315d8f0362e225f3c501495ba23b868c005174dc4ee71", Convert.ToHexStringLower(key));
    }

    [Fact]
    public void TextIsTakenAsUtf8()
    {
        // Seven characters, eight bytes.
        const string password = "passwör";
        Assert.Equal(
            PasswordKey.Derive(Encoding.UTF8.GetBytes(password), Salt, 1000),
            PasswordKey.Derive(password, Salt, 1000));
    }

    [Theory]
    [InlineData(7, 8, 1000, "password")]
    [InlineData(8, 7, 1000, "kdfSalt")]
    [InlineData(8, 1025, 1000, "kdfSalt")]
    [InlineData(8, 8, 999, "kdfIterations")]
    [InlineData(8, 8, 10_000_001, "kdfIterations")]
    [InlineData(8, 8, -1, "kdfIterations")]
    public void OutsideTheLimitsIsRefused(int passwordLength, int saltLength, int iterations, string named)
    {
        var exception = Assert.Throws<ConfigurationException>(
            () => PasswordKey.Derive(new byte[passwordLength], new byte[saltLength], iterations));
        Assert.Contains(named, exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AWaitForAKeyEndsWhenItIsCancelled()
    {
        using var stopping = new CancellationTokenSource();
        using var going = new ManualResetEventSlim();
        var derived = PasswordKey.WaitAsync(
            () =>
            {
                going.Wait(CancellationToken.None);
                return [];
            },
            stopping.Token);
        await stopping.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => derived);
        going.Set();
    }

    [Fact]
    public async Task ACancelledDerivationDoesNotBegin() =>
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => PasswordKey.DeriveAsync("password", new byte[8], 1000, new CancellationToken(canceled: true)));

    [Theory]
    [InlineData(8, 8, 1000)]
    [InlineData(1000, 1024, 1000)]
    public void TheLimitsThemselvesAreAccepted(int passwordLength, int saltLength, int iterations) =>
        Assert.Equal(32, PasswordKey.Derive(new byte[passwordLength], new byte[saltLength], iterations).Length);
}
