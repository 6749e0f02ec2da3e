using System.Text;
using Benji.Store.Transforms.Hashing;
using Xunit;

namespace Benji.Tests.Transforms.Hashing;

public sealed class Blake2bKeyTests
{
    private static readonly byte[] Key = [.. Enumerable.Range(0, 32).Select(i => (byte)i)];

    [Theory]
    [InlineData("", "4e51e7a913fc80137da52880fecca175bf81e117d5c68126dc2774033517ea0d")]
    [InlineData("benji", "e2432b2e6e57691db28d999e2a42e9391703727d42caaca30184af898ca2ab47")]
    public void HashEqualsAnotherImplementation(string text, string expected)
    {
        using var key = new Blake2bKey(Key);
        Assert.Equal(expected, key.Hash(Encoding.ASCII.GetBytes(text)).ToString());
    }

    [Fact]
    public void HashOfTwoPartsIsTheHashOfTheirConcatenation()
    {
        using var key = new Blake2bKey(Key);
        var data = new byte[300];
        new Random(1).NextBytes(data);
        foreach (var cut in new[] { 0, 1, 8, 127, 128, 129, 256, 299, 300 })
        {
            Assert.Equal(key.Hash(data), key.Hash(data.AsSpan(0, cut), data.AsSpan(cut)));
        }
    }

    [Fact]
    public void SpanAndValueAgree()
    {
        using var key = new Blake2bKey(Key);
        var hash = new byte[32];
        key.WriteHash([1, 2, 3], hash);
        Assert.Equal(key.Hash([1, 2, 3]).ToArray(), hash);
    }

    [Fact]
    public void NothingIsAllocatedByAHash()
    {
        using var key = new Blake2bKey(Key);
        var data = new byte[1000];
        Allocation.IsNone(() => key.Hash(data), 1000);
        Allocation.IsNone(() => key.Hash(data.AsSpan(0, 8), data), 1000);
    }
}
