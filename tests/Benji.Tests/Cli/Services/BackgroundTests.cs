using System.Runtime.InteropServices;
using Benji.Cli.Services;
using Xunit;

namespace Benji.Tests.Cli.Services;

public sealed partial class BackgroundTests
{
    private const int GetFlags = 1; // F_GETFD
    private const int CloseOnExec = 1; // FD_CLOEXEC

    [Fact]
    public void NoChildKeepsWhatTheStarterHadOpen()
    {
        using var file = File.OpenHandle("/dev/null");
        var inherited = Duplicate((int)file.DangerousGetHandle());
        try
        {
            Assert.Equal(0, Control(inherited, GetFlags, 0) & CloseOnExec);
            Background.KeepFromChildren();
            Assert.Equal(CloseOnExec, Control(inherited, GetFlags, 0) & CloseOnExec);
            Assert.Equal(0, Control(2, GetFlags, 0) & CloseOnExec);
        }
        finally
        {
            _ = Close(inherited);
        }
    }

    [LibraryImport("libc", EntryPoint = "dup")]
    private static partial int Duplicate(int descriptor);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);

    [LibraryImport("libc", EntryPoint = "fcntl")]
    private static partial int Control(int descriptor, int command, int argument);
}
