namespace Benji.Store;

/// <summary>What a store is opened for.</summary>
public enum StoreUse
{
    /// <summary>To read: what dead runs left stays as it is, and nothing is deleted. Works where nothing can be written.</summary>
    Read,

    /// <summary>To serve versions and overlays: as <see cref="Change"/>, but where the catalog cannot be written, as
    /// <see cref="Read"/>.</summary>
    Serve,

    /// <summary>To change something: what dead runs left is finished first, as far as that can be done now.</summary>
    Change,

    /// <summary>The same, and a new catalog is made where there is none, as the first backup does.</summary>
    Create,
}
