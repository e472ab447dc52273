"""The words that names are made of; they mean no real person or company."""


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


FIRST_NAMES = _words("""
    Ada Agnes Albert Alma Amir Anouk Anselm Aoife Astrid Basil Beatrix Benno Bridget Callum Carmen Cecily Clement
    Dilys Dorota Edmund Elif Elspeth Emrys Esme Farah Fergus Fiona Gareth Greta Gwen Hamish Harriet Hugo Ines Iris
    Ivo Jasper Joan Kasper Kirsty Lars Leonie Linus Mabel Magnus Mina Morag Nadia Niall Noor Olive Oscar Petra
    Priya Quentin Rhys Rosa Rufus Saskia Siobhan Søren Tamsin Theo Ursula Viggo Wanda Winifred Yusuf Zelda Zoë
""")
LAST_NAMES = _words("""
    Abernathy Ackroyd Ainsworth Barraclough Bellweather Birtwhistle Brackenbury Castellan Cholmondeley Cobblestone
    Dalby Dunmore Eastwick Ellerby Fairweather Featherstone Fothergill Garside Grimshaw Hathersage Hebblethwaite
    Illingworth Jellicoe Kershaw Kettlewell Lindqvist Longbottom Mallinson Micklethwait Netherby Nightingale
    Oglethorpe Ormerod Pemberton Penhaligon Quarmby Ramsbottom Ravenscroft Satterthwaite Sowerby Thistlewood
    Tremayne Underhill Venables Wolstenholme Wrigley Yarborough Zimmer
""")
LAST_NAMES_WITH_APOSTROPHE = (
    "D'Arcy",
    "L'Estrange",
    "M'Bala",
    "O'Brannagh",
    "O'Dowd",
    "O'Malley-Finch",
    "O'Tierney",
)
STREETS = _words("""
    Alder Baker Beacon Canal Chapel Copper Dyer Fern Foundry Glover Harbour Hazel Ivory Juniper Lantern Linden
    Loom Mill Needle Orchard Quarry Saddler Spindle Tanner Tinker Weaver Willow Woolpack
""")
STREET_KINDS = _words("""
    Alley Avenue Bank Close Court Crescent Gardens Green Hill Lane Mews Parade Place Road Row Walk Yard
""")
BUILDINGS = _words("""
    Arcade House Mill Studios Tower Warehouse Wharf Works
""")
PLACES = _words("""
    Ash Black Bramble Clay Crow Drift Elm Fox Gold Hare Hawk Kings Lamb Marsh Moor Otter Raven Salt Silver Stone
    Thorn Whit Wind Wool
""")
PLACE_KINDS = _words("""
    borough bridge burn bury by combe dale field ford gate ham haven ley mouth port stead thorpe ton wick
""")
DISTRICTS = (
    "Cornmarket",
    "Eastmarch",
    "Fellshire",
    "Hollowshire",
    "King's Fold",
    "Lower Vale",
    "Northreach",
    "Saint Bride's",
    "Upper Wold",
    "Westermere",
)
COUNTRIES = (
    "Belgium",
    "Canada",
    "Côte d'Ivoire",
    "Denmark",
    "Estonia",
    "Fiji",
    "Ghana",
    "Iceland",
    "Japan",
    "Kenya",
    "Korea (the Republic of)",
    "Lao People's Democratic Republic",
    "Malta",
    "New Zealand",
    "Portugal",
    "Saint Pierre and Miquelon",
    "Trinidad and Tobago",
    "United Kingdom",
    "Uruguay",
    "Viet Nam",
)
DEPARTMENTS = (
    "Sales",
    "Purchasing",
    "Weaving",
    "Dispatch",
    "Accounts",
    "Premises",
    "Press & Post",
    "People",
    "Archive",
    "Customer Care",
    "Dyeing",
    "Logistics",
    "Quality",
    "Research",
    "Returns",
    "Stitching",
)
OFFICES = (
    "Sheffield",
    "Bradford",
)
MISSPELT_OFFICE = "Shefield"
DESIGNS = _words("""
    Amber Bamboo Calico Canvas Cobalt Coral Cotton Denim Ebony Flax Hemp Indigo Jute Linen Madder Ochre Paisley
    Saffron Tartan Tweed Umber Velvet
""")
FOLDERS = (
    "/srv/designs",
    "/srv/designs/archive",
    "/mnt/studio",
    "/mnt/studio/drafts",
    "/home/press",
    "/var/totes/print",
)
