from nightmail_runner.main import main

main()
