namespace Benji.Testing;

/// <summary>An empty directory of its own that is gone, with all it holds, when it is disposed.</summary>
public sealed class TemporaryDirectory : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("benji-test-");

    /// <summary>The absolute path.</summary>
    public string Path => _directory.FullName;

    /// <summary>The absolute path of a name in it; nothing is created.</summary>
    public string this[string name] => System.IO.Path.Combine(Path, name);

    /// <summary>Removes the directory and all it holds.</summary>
    public void Dispose() => _directory.Delete(recursive: true);
}
