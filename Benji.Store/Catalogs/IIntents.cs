using Benji.Store.Model;

namespace Benji.Store.Catalogs;

/// <summary>What a run is about to do to a version, so that the next command can finish what a crash left.</summary>
internal interface IIntents
{
    /// <summary>Records an intent; one of the same version id is replaced.</summary>
    void Put(Intent intent);

    /// <summary>Forgets an intent; a missing one is no error.</summary>
    void Remove(Guid versionId);

    /// <summary>Lists all intents, those of living runs too.</summary>
    IReadOnlyList<Intent> List();
}

/// <summary>What an intent is about.</summary>
internal enum IntentKind
{
    /// <summary>A manifest may appear; if it is there, the version is published, else forgotten.</summary>
    Publish = 0,

    /// <summary>A manifest is to be deleted, then the version.</summary>
    Remove = 1,
}

/// <summary>A version that is about to appear or to go.</summary>
/// <param name="Kind">Which of the two.</param>
/// <param name="VersionId">The version's id.</param>
/// <param name="Name">Its full name, which the manifest's object name follows from.</param>
/// <param name="Storage">The configured name of its storage.</param>
/// <param name="Fencing">The lease under which the run works; while it is held the intent is that run's own business.</param>
/// <param name="Began">When the run began.</param>
/// <param name="OverlayId">The overlay that becomes the version and ends with its publication; null for none.</param>
/// <param name="Mark">The age mark that is put after the manifest was put or deleted; null until it is recorded.</param>
internal sealed record Intent(
    IntentKind Kind,
    Guid VersionId,
    VersionName Name,
    string Storage,
    long Fencing,
    DateTimeOffset Began,
    Guid? OverlayId = null,
    AgeMark? Mark = null)
{
    /// <summary>The marks that were required when <see cref="Mark"/> was recorded, and that it supersedes.</summary>
    public IReadOnlyList<AgeMark> Over { get; init; } = [];

    /// <summary>True for the same intent of the same run, wherever its mark stands.</summary>
    public bool IsSame(Intent other) => VersionId == other.VersionId && Kind == other.Kind && Fencing == other.Fencing;
}
