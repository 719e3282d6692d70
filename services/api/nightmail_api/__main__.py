from nightmail_api.main import main

main()
