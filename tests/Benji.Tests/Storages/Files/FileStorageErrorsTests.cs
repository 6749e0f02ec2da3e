using Benji.Store.Posix;
using Benji.Testing.Storages;
using Xunit;

namespace Benji.Tests.Storages.Files;

/// <summary>Every error number is a failure of the storage; one alone may be the damage of an object.</summary>
public sealed class FileStorageErrorsTests
{
    [Fact]
    public void OnlyBytesThatTheDiskDoesNotGiveMayBeDamage()
    {
        for (var errno = 1; errno < 134; errno++)
        {
            Assert.Equal(errno == Errno.Io, StorageFailures.Of(errno).IsUnreadable);
        }
    }
}
